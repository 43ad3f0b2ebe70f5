import { setTimeout as sleep } from 'node:timers/promises'
import { settled, shown, unless, within, type Scenario } from '../scenario.ts'

const STALE_READS = 50
const LOADS_MAX = 3
const TIMEOUT_MS = 100

/** Values past their lifetime, while the source fails or hangs. */
export const STALE: readonly Scenario[] = [
  {
    name: 'stale-if-error',
    does: 'A value has ended and the source fails; a reader gets the value, as it was allowed.',
    uses: ['stale if error'],
    play: async ({ open, source, lifetime }) => {
      const origin = source('value')
      const ttlMs = lifetime(30)
      const cache = await open({ load: origin.load, ttlMs, staleMs: 60_000 })
      await cache.get('k')
      origin.error = new Error('source down')
      await sleep(ttlMs + 20)
      return unless(await settled(cache.get('k')), 'value', 'the reader got')
    },
  },
  {
    name: 'failed-refresh-keeps-value',
    does: 'A background refresh fails; readers go on getting the value, nobody sees the error, and a later refresh replaces it.',
    uses: ['background refresh'],
    play: async ({ open, source, lifetime }) => {
      const origin = source('first')
      const ttlMs = lifetime(30)
      const cache = await open({ load: origin.load, ttlMs, staleMs: 60_000, refreshes: true })
      await cache.get('k')
      origin.error = new Error('source down')
      await sleep(ttlMs + 20)
      for (let i = 0; i < 3; i++) {
        const got = await settled(cache.get('k'))
        if (got !== 'first') return `while the source was down a reader got ${shown(got)}`
        await sleep(10)
      }
      origin.error = undefined
      origin.value = 'second'
      return eventually(() => cache.get('k'), 'second', 8_000)
    },
  },
  {
    name: 'source-is-left-alone',
    does: `The source is down and ${STALE_READS} stale reads come within half a second: it is asked ${LOADS_MAX} times at most.`,
    uses: ['stale if error'],
    play: async ({ open, source, lifetime }) => {
      const origin = source('value')
      const ttlMs = lifetime(30)
      const cache = await open({ load: origin.load, ttlMs, staleMs: 60_000 })
      await cache.get('k')
      origin.error = new Error('source down')
      origin.loads = 0
      await sleep(ttlMs + 20)
      for (let i = 0; i < STALE_READS; i++) {
        const got = await settled(cache.get('k'))
        if (got !== 'value') return `a reader got ${shown(got)}`
        await sleep(5)
      }
      return origin.loads <= LOADS_MAX ? undefined : `it was asked ${origin.loads} times`
    },
  },
  {
    name: 'hung-refresh',
    does: 'A background refresh never answers; readers still get the value, and once the deadline is over a later refresh replaces it.',
    uses: ['background refresh', 'load deadline'],
    play: async ({ open, source, lifetime }) => {
      const origin = source('first')
      const ttlMs = lifetime(30)
      const cache = await open({
        load: origin.load,
        ttlMs,
        staleMs: 60_000,
        refreshes: true,
        loadTimeoutMs: TIMEOUT_MS,
      })
      await cache.get('k')
      await sleep(ttlMs + 20)
      origin.hold()
      const during = await within(TIMEOUT_MS / 2, settled(cache.get('k')))
      if (during !== 'first')
        return during === 'late' ? 'readers wait for the refresh' : `a reader got ${shown(during)}`
      await origin.begun(2)
      origin.unhold()
      origin.value = 'second'
      return eventually(() => within(TIMEOUT_MS * 3, cache.get('k')), 'second', 8_000)
    },
  },
]

/** Reads until the value is there. */
async function eventually(
  read: () => Promise<unknown>,
  expected: unknown,
  withinMs: number,
): Promise<string | undefined> {
  const endsAt = performance.now() + withinMs
  let got: unknown
  do {
    got = await settled(read())
    if (got === expected) return undefined
    await sleep(25)
  } while (performance.now() < endsAt)
  return `${withinMs / 1000} s after the source was well again readers got ${shown(got)}`
}
