// Contract C3, `kill-9`, during key rotation: a process that sets secrets and seals them under one key after the other is
// killed at random points; every acknowledged value is there and opens. CRASH_ROUNDS sets how often (default 25).

import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { createTidemark, jsonl, sqlite, untilInvalidated, type Resource, type Tidemark } from 'tidemark'
import { keyring, type KeyringKeys } from 'tidemark/seal'
import { testFolder } from '../folder.ts'

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 25)
const MAIN = fileURLToPath(new URL('rekey-main.ts', import.meta.url))
const KEYS = Array.from({ length: 20 }, (_, i) => `k${i}`)
const folder = testFolder()
const [a, b] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]

async function killedAfter(kind: string, path: string, log: string, ms: number): Promise<void> {
  const child = fork(MAIN, [kind, path, log, a, b], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  await new Promise((resolve) => child.once('message', resolve))
  await new Promise((resolve) => setTimeout(resolve, ms))
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** The number of the last value that was acknowledged, and of the one that may have come after it, by key. */
function rightNumbers(log: string, before: ReadonlyMap<string, number>): Map<string, Set<number>> {
  const right = new Map([...before].map(([key, n]) => [key, new Set([n])]))
  for (const [word, key = '', n] of log.split('\n').map((line) => line.split(' '))) {
    if (word === 'try') right.get(key)?.add(Number(n))
    else if (word === 'ack') right.set(key, new Set([Number(n)]))
  }
  return right
}

function open(
  kind: string,
  path: string,
  keys: KeyringKeys,
): { tide: Tidemark; vault: Resource<string, { token: string }> } {
  const tide = createTidemark({
    tiers: [kind === 'jsonl' ? jsonl({ path }) : sqlite({ path })],
    keyring: keyring(keys),
  })
  const load = async (): Promise<{ token: string }> => ({ token: 'LOADED' })
  const vault = tide.resource<string, { token: string }>({
    name: 'vault',
    load,
    secrets: ['token'],
    freshness: untilInvalidated(),
  })
  return { tide, vault }
}

it.for(['sqlite', 'jsonl'])(
  `kill-9: ${ROUNDS} rounds during key rotation in %s: every acknowledged secret is there and opens`,
  { timeout: 600_000 },
  async (kind) => {
    const path = join(folder, kind)
    let numbers = new Map(KEYS.map((key) => [key, 0]))
    for (let round = 0; round < ROUNDS; round++) {
      const log = join(folder, `${kind}-log-${round}`)
      await killedAfter(kind, path, log, 5 + ((round * 37) % 80))
      const text = existsSync(log) ? readFileSync(log, 'utf8') : ''
      expect(text).not.toContain('lost')
      const right = rightNumbers(text, numbers)
      const { tide, vault } = open(kind, path, { active: 'a', keys: { a, b } })
      const wrong: unknown[] = []
      tide.on('event', (event) => (event.type === 'unopened' || event.type === 'corrupt') && wrong.push(event))
      numbers = new Map()
      for (const key of KEYS) {
        const stored = await vault.stored(key)
        const n = stored === undefined ? 0 : Number.parseInt(stored.token, 10)
        expect([...(right.get(key) ?? [])], `round ${round}, ${key}`).toContain(n)
        numbers.set(key, n)
      }
      if (round % 5 === 0) expect(await tide.rekey()).toMatchObject({ unknown: 0, damaged: 0, failed: 0, removed: 0 })
      expect(wrong, `round ${round}`).toEqual([])
      await tide.close()
    }
    const last = open(kind, path, { active: 'a', keys: { a, b } })
    expect(await last.tide.rekey()).toMatchObject({ unknown: 0, damaged: 0, failed: 0, removed: 0 })
    await last.tide.close()
    const { tide, vault } = open(kind, path, { active: 'a', keys: { a } })
    for (const [key, n] of numbers) expect(Number.parseInt((await vault.stored(key))?.token ?? '0', 10)).toBe(n)
    await tide.close()
  },
)
