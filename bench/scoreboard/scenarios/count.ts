import { setTimeout as sleep } from 'node:timers/promises'
import { settled, unless, type Scenario } from '../scenario.ts'

/** Counts that can be trusted. */
export const COUNT: readonly Scenario[] = [
  {
    name: 'stats-add-up',
    does: 'Of a cold read, three warm ones and one that fails, three are counted as hits and two as misses.',
    uses: ['counts'],
    play: async ({ open, source }) => {
      const origin = source('value')
      const cache = await open({ load: origin.load })
      for (let i = 0; i < 4; i++) await cache.get('k')
      origin.error = new Error('source down')
      await settled(cache.get('other'))
      const { hits, misses } = await cache.counts()
      return unless({ hits, misses }, { hits: 3, misses: 2 }, 'counted')
    },
  },
  {
    name: 'stats-count-lower-tier',
    does: 'After a restart a read that the second tier answers is one hit and no miss.',
    uses: ['second tier', 'counts', 'counts of all tiers'],
    play: async ({ open, source, remote }) => {
      const origin = source('value')
      const tier = await remote()
      const first = await open({ load: origin.load, remote: tier })
      await first.get('k')
      await sleep(20)
      await first.close()
      const second = await open({ load: origin.load, remote: tier })
      await second.get('k')
      const { hits, misses } = await second.counts()
      return unless({ hits, misses }, { hits: 1, misses: 0 }, 'counted')
    },
  },
]
