// The pool as a process of its own.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { keyring } from 'tidemark/seal'
import { expect, it, onTestFinished } from 'vitest'
import { ProxyPool } from '../src/pool/pool.ts'

/** More than memory holds: the rest is read from the files. */
const PROXIES = 8_000

it('whoever reaches it finds all proxies of earlier runs', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'proxypool-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const key = randomBytes(32)
  const pool = new ProxyPool({
    dataDir,
    keyring: keyring({ active: 'main', keys: { main: key } }),
    check: async () => ({ ok: true }),
  })
  await Promise.all(Array.from({ length: PROXIES }, (_, i) => pool.add({ url: `127.1.${i >> 8}.${i & 255}:9` })))
  await pool.close()

  const child = spawn(process.execPath, [fileURLToPath(new URL('../src/main.ts', import.meta.url))], {
    env: {
      ...process.env,
      PORT: '0',
      HOST: '127.0.0.1',
      DATA_DIR: dataDir,
      CHECK_TARGET: 'http://127.0.0.1:9/',
      DEMO: '0',
      TIDEMARK_KEYS: `main=${key.toString('base64')}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  try {
    let url: string | undefined
    for await (const line of createInterface(child.stdout)) {
      url = /^proxypool: (\S+)/.exec(line)?.[1]
      if (url !== undefined) break
    }
    const response = await fetch(new URL('/health', url))
    const { proxies } = (await response.json()) as { proxies: Record<string, number> }
    expect(Object.values(proxies).reduce((sum, count) => sum + count, 0)).toBe(PROXIES)
  } finally {
    child.kill()
    await ended
  }
}, 60_000)
