import { setTimeout as sleep } from 'node:timers/promises'
import { settled, shown, unless, within, type Scenario } from '../scenario.ts'

const READERS = 100
const TIMEOUT_MS = 100

/** One load for all who wait, and what becomes of it when it fails or hangs. */
export const FLIGHT: readonly Scenario[] = [
  {
    name: 'one-load-per-key',
    does: `${READERS} readers of a cold key at once cause one load.`,
    uses: [],
    play: async ({ open, source }) => {
      const origin = source('value', 20)
      const cache = await open({ load: origin.load })
      const got = await Promise.all(Array.from({ length: READERS }, () => cache.get('k')))
      return unless([origin.loads, new Set(got)], [1, new Set(['value'])], 'loads, and what readers got')
    },
  },
  {
    name: 'waiters-share-failure',
    does: 'Twenty readers of a key whose load fails cause one load, and each gets its error.',
    uses: [],
    play: async ({ open, source }) => {
      const origin = source('value', 20)
      origin.error = new Error('source down')
      const cache = await open({ load: origin.load })
      const got = await Promise.all(Array.from({ length: 20 }, () => settled(cache.get('k'))))
      const wrong = got.find((it) => !(it instanceof Error))
      if (got.some((it) => !(it instanceof Error))) return `a reader got ${shown(wrong)} in place of the error`
      return unless(origin.loads, 1, 'how often it was loaded')
    },
  },
  {
    name: 'failure-is-not-a-value',
    does: 'A failed load reaches the caller as an error and is stored nowhere; the next reader loads anew.',
    uses: [],
    play: async ({ open, source }) => {
      const origin = source('value')
      origin.error = new Error('source down')
      const cache = await open({ load: origin.load })
      const first = await settled(cache.get('k'))
      if (!(first instanceof Error)) return `the caller got ${shown(first)}`
      origin.error = undefined
      return unless(await settled(cache.get('k')), 'value', 'the next reader got')
    },
  },
  {
    name: 'failure-keeps-the-value',
    does: 'A load for one key fails; what is stored under others, and what is set later under this one, is there.',
    uses: ['set'],
    play: async ({ open, source }) => {
      const origin = source('value')
      const cache = await open({ load: origin.load })
      await cache.set('other', 'kept')
      origin.error = new Error('source down')
      const release = origin.hold()
      const failing = settled(cache.get('k'))
      await origin.begun()
      await cache.set('k', 'set meanwhile')
      release()
      await failing
      await sleep(5)
      const got = [await settled(cache.get('other')), await settled(cache.get('k'))]
      return unless(got, ['kept', 'set meanwhile'], 'the other key, and the one that was set while its load failed')
    },
  },
  {
    name: 'hung-load',
    does: 'A load that never answers is given up at the deadline the cache was given: its reader gets an error, the next one loads anew.',
    uses: ['load deadline'],
    play: async ({ open, source }) => {
      const origin = source('value')
      const cache = await open({ load: origin.load, loadTimeoutMs: TIMEOUT_MS })
      origin.hold()
      const first = await within(10 * TIMEOUT_MS, settled(cache.get('k')))
      origin.unhold()
      if (!(first instanceof Error)) return first === 'late' ? 'its reader waits' : `its reader got ${shown(first)}`
      const second = await within(10 * TIMEOUT_MS, settled(cache.get('k')))
      return second === 'late' ? 'the next reader waits' : unless(second, 'value', 'the next reader got')
    },
  },
]
