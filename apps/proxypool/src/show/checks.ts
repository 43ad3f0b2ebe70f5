import { join } from 'node:path'
import type { Keyring } from 'tidemark/seal'
import { startLocalProxy, startTarget } from '../demo/local-proxy.ts'
import { connectCheck } from '../pool/connect-check.ts'
import { ProxyPool } from '../pool/pool.ts'
import type { Board } from './board.ts'
import { watched } from './stall.ts'

const DUE = 1_000
const CONCURRENCY = 100
const CHECK_MS = 50
const INTERVAL_MS = 300_000

/** A thousand checks due at once. */
export async function thousandChecks(folder: string, keyring: Keyring, board: Board): Promise<void> {
  let [running, most, done] = [0, 0, 0]
  const finished = Promise.withResolvers<void>()
  const check = async (): Promise<{ ok: boolean }> => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, CHECK_MS))
    running--
    if (++done === DUE) finished.resolve()
    return { ok: true }
  }
  await using pool = new ProxyPool({ dataDir: join(folder, 'pool'), keyring, check })
  const { tookMs, stallMs } = await watched(async () => {
    await Promise.all(Array.from({ length: DUE }, (_, i) => pool.add({ url: `10.0.${i >> 8}.${i & 255}:3128` })))
    await finished.promise
  })
  board.say(
    `${DUE} checks of ${CHECK_MS} ms due at once`,
    `${tookMs.toFixed(0)} ms, at most ${most} at once (target ${CONCURRENCY}), longest stall ${stallMs.toFixed(0)} ms`,
    most <= CONCURRENCY && tookMs < INTERVAL_MS,
  )
}

const EVERY_MS = 1_000
const TIMEOUT_MS = 500
/** Of the timers and of the loop that measures. */
const SLACK_MS = 25

/** A real proxy on this machine stops answering: how long `next` goes on giving it. */
export async function deadProxy(folder: string, keyring: Keyring, board: Board): Promise<void> {
  const target = await startTarget()
  await using good = await startLocalProxy()
  await using dying = await startLocalProxy()
  await using pool = new ProxyPool({
    dataDir: join(folder, 'dead'),
    keyring,
    check: connectCheck(target.url),
    every: EVERY_MS,
    timeout: TIMEOUT_MS,
  })
  await pool.add({ url: good.url })
  const key = await pool.add({ url: dying.url })
  while (pool.counts.healthy < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  dying.behaviour.isSilent = true
  const began = performance.now()
  let givenAt = began
  while (performance.now() - began < 3 * EVERY_MS) {
    if ((await pool.next())?.key === key) givenAt = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  target.close()
  const tookMs = givenAt - began
  const most = EVERY_MS + TIMEOUT_MS + SLACK_MS
  board.say(
    'a proxy that stops answering is out of `next`',
    `after ${tookMs.toFixed(0)} ms (target: one interval and its timeout, ${EVERY_MS + TIMEOUT_MS} ms, and ${SLACK_MS} ms for timers)`,
    tookMs <= most,
  )
}
