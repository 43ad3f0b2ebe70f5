import { setTimeout as sleep } from 'node:timers/promises'
import { settled, unless, type Scenario } from '../scenario.ts'

const TTL_MS = 10_000
const DAY_MS = 86_400_000

/** When a lifetime is over. */
export const TIME: readonly Scenario[] = [
  {
    name: 'end-is-exact',
    does: 'A value with a lifetime of ten seconds is handed out a millisecond before, and not any more at ten seconds.',
    uses: ['lifetimes in milliseconds'],
    play: async ({ open, source, clock }) => {
      const time = clock()
      time.hold()
      const origin = source('value')
      const cache = await open({ load: origin.load, ttlMs: TTL_MS, clock: time })
      await cache.get('k')
      time.advance(TTL_MS - 1)
      await cache.get('k')
      const before = origin.loads
      time.advance(1)
      await cache.get('k')
      return unless(
        [before, origin.loads],
        [1, 2],
        'how often it was loaded by a millisecond before the end, and by the end',
      )
    },
  },
  {
    name: 'wall-clock-set-back',
    does: 'The wall clock is set back by a day; a value still ends when its lifetime has passed.',
    uses: [],
    play: async ({ open, source, clock, lifetime }) => {
      const time = clock()
      const origin = source('old')
      const ttlMs = lifetime(50)
      const cache = await open({ load: origin.load, ttlMs })
      await cache.get('k')
      time.stepWall(-DAY_MS)
      origin.value = 'new'
      await sleep(ttlMs + 50)
      return unless(await settled(cache.get('k')), 'new', 'after its lifetime the reader got')
    },
  },
  {
    name: 'wall-clock-set-forward',
    does: 'The wall clock is set forward by a day; a value with an hour to live is still handed out.',
    uses: [],
    play: async ({ open, source, clock, lifetime }) => {
      const time = clock()
      const origin = source('value')
      const cache = await open({ load: origin.load, ttlMs: 3_600_000 })
      await cache.get('k')
      time.stepWall(DAY_MS)
      await sleep(lifetime(5))
      await cache.get('k')
      return unless(origin.loads, 1, 'how often it was loaded')
    },
  },
]
