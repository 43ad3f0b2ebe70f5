import { join } from 'node:path'
import { sqlite, type Clock } from 'tidemark'
import type { Board } from './board.ts'
import { entryOf, putAll } from './entry.ts'
import { watched, type Watched } from './stall.ts'

const ROWS = 1_000_000
const STALL_MS_MAX = 20
const HOUR_MS = 3_600_000
const SWEEP_AT_ONCE = 500

/** Counting, listing and sweeping a million entries of SQLite, and what each costs everybody else in the process. */
export async function million(folder: string, board: Board): Promise<void> {
  const tier = sqlite({ path: join(folder, 'million.db') })
  let aheadMs = 0
  const clock: Clock = { now: () => Date.now() + aheadMs, coarse: () => Date.now() + aheadMs, schedule: () => () => {} }
  tier.attach?.({ clock, report: (news) => void (news.kind === 'evicted' ? 0 : console.error(news)) })
  const ends = Date.now()
  const filling = performance.now()
  // Every other one ends in an hour.
  await putAll(tier, ROWS, 1_000, (n) =>
    entryOf(n, { url: `http://10.0.0.1:${n}` }, ends + (n % 2 === 0 ? HOUR_MS : 9 * HOUR_MS)),
  )
  console.log(`      ${ROWS} entries written in ${((performance.now() - filling) / 1_000).toFixed(1)} s`)
  const say = (what: string, { tookMs, stallMs, busyMs }: Watched<number>, isRight: boolean): void =>
    board.say(
      `${what} in SQLite`,
      `${(tookMs / 1_000).toFixed(2)} s, longest stall ${stallMs.toFixed(1)} ms (target ≤ ${STALL_MS_MAX}), ${busyMs.toFixed(1)} ms of it at work${isRight ? '' : ', WRONG'}`,
      isRight && stallMs <= STALL_MS_MAX,
    )
  const count = await watched(async () => tier.count({ kind: 'all' }))
  say(`count of ${ROWS}`, count, count.result === ROWS)
  const keys = await watched(async () => {
    let listed = 0
    for await (const { key } of tier.keys({ kind: 'all' })) if (key.name === 'proxies') listed++
    return listed
  })
  say(`keys of ${ROWS}, paged`, keys, keys.result === ROWS)
  aheadMs = HOUR_MS
  const sweep = await watched(async () => {
    let dropped = 0
    while (dropped < ROWS / 2) {
      dropped += await tier.sweep(clock.now(), SWEEP_AT_ONCE)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return dropped
  })
  say(`sweep of ${ROWS / 2}`, sweep, sweep.result === ROWS / 2 && (await tier.count({ kind: 'all' })) === ROWS / 2)
  await tier.close()
}
