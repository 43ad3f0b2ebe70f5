// What the pool promises, with figures: npm run show -w apps/proxypool

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createTidemark, jsonl, memory, sqlite, untilInvalidated } from 'tidemark'
import { keyring } from 'tidemark/seal'
import { ProxyPool } from '../pool/pool.ts'

const WARM = 10_000
const DUE = 1000
const CONCURRENCY = 100

const folder = mkdtempSync(join(tmpdir(), 'proxypool-show-'))
const keys = keyring({ active: 'show', keys: { show: randomBytes(32) } })
let isMet = true

try {
  await warming()
  await thousandChecks()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(isMet ? '\nAll targets met.' : '\nNOT all targets met.')
process.exitCode = isMet ? 0 : 1

/** Ten thousand entries with sealed fields through three tiers, and back. */
async function warming(): Promise<void> {
  await using tide = createTidemark({
    tiers: [
      memory({ maxEntries: WARM }),
      jsonl({ path: join(folder, 'segments') }),
      sqlite({ path: join(folder, 'warm.db') }),
    ],
    keyring: keys,
  })
  const proxies = tide.resource({
    name: 'proxies',
    load: (key: string) => ({ url: key, username: 'u', password: 'p' }),
    secrets: ['username', 'password'],
    freshness: untilInvalidated(),
  })
  const began = performance.now()
  for (let i = 0; i < WARM; i += 500) {
    await Promise.all(
      Array.from({ length: 500 }, (_, j) =>
        proxies.set(`p${i + j}`, { url: `http://10.0.0.1:${i + j}`, username: `u${i + j}`, password: `p${i + j}` }),
      ),
    )
  }
  const wrote = performance.now() - began
  const again = performance.now()
  const back = await proxies.getMany(Array.from({ length: WARM }, (_, i) => `p${i}`))
  const read = performance.now() - again
  const isWhole = back.every((it, i) => it.password === `p${i}`)
  report(
    `${WARM} entries with two sealed fields through memory, JSONL and SQLite`,
    `${wrote.toFixed(0)} ms (target < 1000), read back in ${read.toFixed(0)} ms, all ${isWhole ? 'right' : 'NOT right'}`,
    wrote < 1000 && isWhole,
  )
}

/** A thousand checks due at once. */
async function thousandChecks(): Promise<void> {
  let running = 0
  let most = 0
  let done = 0
  const finished = Promise.withResolvers<void>()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  await using pool = new ProxyPool({
    dataDir: join(folder, 'pool'),
    keyring: keys,
    check: async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 50))
      running--
      if (++done === DUE) finished.resolve()
      return { ok: true }
    },
  })
  await Promise.all(Array.from({ length: DUE }, (_, i) => pool.add({ url: `10.0.${i >> 8}.${i & 255}:3128` })))
  delay.enable()
  const began = performance.now()
  await finished.promise
  const took = performance.now() - began
  delay.disable()
  report(
    `${DUE} checks of 50 ms due at once`,
    `${took.toFixed(0)} ms, at most ${most} at once (target ${CONCURRENCY}), longest stall ${(delay.max / 1e6).toFixed(0)} ms`,
    most <= CONCURRENCY && took < 300_000,
  )
}

function report(what: string, figures: string, met: boolean): void {
  isMet &&= met
  console.log(`${met ? 'met ' : 'MISS'}  ${what}: ${figures}`)
}
