import { setTimeout as sleep } from 'node:timers/promises'
import { settled, shown, unless, within, type Scenario, type Stage } from '../scenario.ts'
import type { Cache } from '../peer.ts'
import type { Remote } from '../remote.ts'

const READ_MS_MAX = 1_000
const RECOVERED_WITHIN_MS = 4_000
/** Some store in the background. */
const STORED_WITHIN_MS = 20
/** After this the clients know that their connections have ended. */
const NOTICED_WITHIN_MS = 100

/** A second tier that hangs, refuses, or was away. */
export const TIER: readonly Scenario[] = [
  {
    name: 'restart-keeps-values',
    does: 'The process ends; the next one finds the value in the tier that stays, without a load.',
    uses: ['second tier'],
    play: async ({ open, source, remote }) => {
      const origin = source('value')
      const tier = await remote()
      const first = await open({ load: origin.load, remote: tier })
      await first.get('k')
      await sleep(STORED_WITHIN_MS)
      await first.close()
      const second = await open({ load: origin.load, remote: tier })
      return unless([await settled(second.get('k')), origin.loads], ['value', 1], 'the value, and loads in all')
    },
  },
  {
    name: 'hung-tier',
    does: 'The second tier takes connections and never answers: each of five readers of new keys has the source’s value within a second.',
    uses: ['second tier'],
    play: (stage) => readsDuring(stage, (tier) => tier.hang()),
  },
  {
    name: 'refusing-tier',
    does: 'The second tier refuses connections: each of five readers of new keys has the source’s value within a second, and no error.',
    uses: ['second tier'],
    play: (stage) => readsDuring(stage, (tier) => tier.refuse()),
  },
  {
    name: 'hung-tier-known-value',
    does: 'The second tier never answers: a value that is in memory is still read within a second.',
    uses: ['second tier', 'memory in front of it'],
    play: async ({ open, source, remote }) => {
      const origin = source('value')
      const tier = await remote()
      const cache = await open({ load: origin.load, remote: tier, mayFail: true })
      await cache.get('k')
      await sleep(STORED_WITHIN_MS)
      tier.hang()
      const got = await within(READ_MS_MAX, settled(cache.get('k')))
      return got === 'late' ? `no answer within ${READ_MS_MAX / 1000} s` : unless(got, 'value', 'the reader got')
    },
  },
  {
    name: 'delete-while-tier-is-down',
    does: 'A key is deleted while the second tier is down; when the tier is back the deleted value is not read again.',
    uses: ['second tier', 'delete'],
    play: async ({ open, source, remote }) => {
      const origin = source('old')
      const tier = await remote()
      const cache = await open({ load: origin.load, remote: tier, mayFail: true })
      await cache.get('k')
      await sleep(STORED_WITHIN_MS)
      await tier.refuse()
      await sleep(NOTICED_WITHIN_MS)
      const told = await within(READ_MS_MAX, settled(cache.delete('k')))
      origin.value = 'new'
      await tier.heal()
      await sleep(300)
      const rejected = told instanceof Error ? ` (the delete had rejected: ${told.message.split('\n')[0]})` : ''
      for (let i = 0; i < 3; i++) {
        const got = await within(READ_MS_MAX, settled(cache.get('k')))
        if (got !== 'new') return `reader ${i + 1} got ${shown(got)}${rejected}`
        await sleep(30)
      }
      return undefined
    },
  },
  {
    name: 'set-while-tier-is-down',
    does: 'A newer value is set while the second tier is down; four seconds after it is back at the latest, a new process does not read the older one from it.',
    uses: ['second tier', 'set'],
    play: async ({ open, source, remote }) => {
      const origin = source('loaded anew')
      const tier = await remote()
      const cache = await open({ load: origin.load, remote: tier, mayFail: true })
      await cache.set('k', 'older')
      await sleep(STORED_WITHIN_MS)
      await tier.refuse()
      await sleep(NOTICED_WITHIN_MS)
      const told = await within(READ_MS_MAX, settled(cache.set('k', 'newer')))
      await tier.heal()
      const endsAt = performance.now() + RECOVERED_WITHIN_MS
      let got: unknown
      do {
        await sleep(100)
        const next: Cache = await open({ load: origin.load, remote: tier })
        got = await settled(next.get('k'))
        await next.close()
        if (got === 'newer' || got === 'loaded anew') return undefined
      } while (performance.now() < endsAt)
      const rejected = told instanceof Error ? ` (the set had rejected: ${told.message.split('\n')[0]})` : ''
      return `the new process got ${shown(got)}${rejected}`
    },
  },
]

async function readsDuring(
  { open, source, remote }: Stage,
  trouble: (tier: Remote) => Promise<void> | void,
): Promise<string | undefined> {
  const origin = source('value')
  const tier = await remote()
  const cache = await open({ load: origin.load, remote: tier, mayFail: true })
  await cache.get('before')
  await trouble(tier)
  await sleep(NOTICED_WITHIN_MS)
  for (let i = 0; i < 5; i++) {
    const got = await within(READ_MS_MAX, settled(cache.get(`during ${i}`)))
    if (got === 'late') return `reader ${i + 1} had no answer within ${READ_MS_MAX / 1000} s`
    if (got !== 'value') return `reader ${i + 1} got ${shown(got)}`
  }
  return undefined
}
