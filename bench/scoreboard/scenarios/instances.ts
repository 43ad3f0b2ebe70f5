import { setTimeout as sleep } from 'node:timers/promises'
import { settled, shown, unless, type Scenario } from '../scenario.ts'

const SEEN_WITHIN_MS = 500

/** Two instances, each with its own connections, over one shared tier. */
export const INSTANCES: readonly Scenario[] = [
  {
    name: 'delete-seen-elsewhere',
    does: 'One instance deletes a key that the other has read; half a second later at the latest the other does not hand it out.',
    uses: ['second tier', 'delete'],
    play: async ({ open, source, remote }) => {
      const origin = source('old')
      const tier = await remote()
      const [a, b] = [
        await open({ load: origin.load, remote: tier, isShared: true }),
        await open({ load: origin.load, remote: tier, isShared: true }),
      ]
      await a.get('k')
      await b.get('k')
      await sleep(20)
      origin.value = 'new'
      await a.delete('k')
      const endsAt = performance.now() + SEEN_WITHIN_MS
      let got: unknown
      do {
        await sleep(20)
        got = await settled(b.get('k'))
        if (got === 'new') return undefined
      } while (performance.now() < endsAt)
      return `the other got ${shown(got)}`
    },
  },
  {
    name: 'two-process-lost-update',
    does: 'One instance loads an older value, the other sets a newer one meanwhile; when the load has ended nobody reads the older one.',
    uses: ['second tier', 'set'],
    play: async ({ open, source, remote }) => {
      const origin = source('loaded, older')
      const tier = await remote()
      const needs = { load: origin.load, remote: tier, isShared: true }
      const [a, b] = [await open(needs), await open(needs)]
      const release = origin.hold()
      const early = settled(b.get('k'))
      await origin.begun()
      await a.set('k', 'set, newer')
      await sleep(50)
      release()
      await early
      await sleep(SEEN_WITHIN_MS)
      const c = await open(needs)
      const got = [await settled(a.get('k')), await settled(b.get('k')), await settled(c.get('k'))]
      const older = got.filter((it) => it !== 'set, newer')
      return older.length === 0 ? undefined : `${older.length} of three instances got ${shown(older[0])}`
    },
  },
  {
    name: 'two-process-delete-during-load',
    does: 'One instance loads, the other deletes the key meanwhile; what had been read before is stored nowhere.',
    uses: ['second tier', 'delete'],
    play: async ({ open, source, remote }) => {
      const origin = source('old')
      const tier = await remote()
      const needs = { load: origin.load, remote: tier, isShared: true }
      const [a, b] = [await open(needs), await open(needs)]
      const release = origin.hold()
      const early = settled(b.get('k'))
      await origin.begun()
      await a.delete('k')
      origin.value = 'new'
      await sleep(50)
      release()
      await early
      await sleep(SEEN_WITHIN_MS)
      const got = [await settled(a.get('k')), await settled(b.get('k'))]
      return unless(got, ['new', 'new'], 'the two got')
    },
  },
  {
    name: 'one-load-among-instances',
    does: 'Two instances read a cold key at once: one of them loads it.',
    uses: ['second tier'],
    play: async ({ open, source, remote }) => {
      const origin = source('value', 100)
      const tier = await remote()
      const needs = { load: origin.load, remote: tier, isShared: true }
      const [a, b] = [await open(needs), await open(needs)]
      const got = await Promise.all([a.get('k'), b.get('k')])
      return unless([origin.loads, ...got], [1, 'value', 'value'], 'how often it was loaded, and what the two got')
    },
  },
]
