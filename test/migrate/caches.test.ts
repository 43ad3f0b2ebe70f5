// A cache that was moved to another tier goes on there as if nothing had happened.

import { expect, it } from 'vitest'
import { createTidemark, immutable, migrate, ttl, type Tier } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { newPlace, tierKinds } from './kinds.ts'

const kinds = (await tierKinds()).filter(({ kind }) => kind !== 'memory')
const pairs = kinds.flatMap((from) => kinds.map((to) => ({ from, to, name: `${from.kind} to ${to.kind}` })))

interface Item {
  readonly key: string
  readonly n: number
}

/** A unit's events and waveforms in one era, and what was asked of the unit. */
function open(tier: Tier, clock: FakeClock) {
  const tide = createTidemark({ tiers: [{ tier, budget: '10s' }], clock })
  const era = tide.era('device-memory')
  const loads: string[] = []
  const events = tide.collection<string, Item>({
    name: 'events',
    era,
    scope: (unit) => unit,
    freshness: ttl('1h'),
    probe: () => ({ count: 5 }),
    load: (_unit, { from, to }) => {
      loads.push(`events ${from}-${to}`)
      return Array.from({ length: to - from }, (_, i) => ({ key: `0111000${from + i}`, n: from + i }))
    },
    identity: ({ key }) => [key],
  })
  const waveforms = tide.resource<readonly [string, number], Item>({
    name: 'waveforms',
    era,
    scope: ([unit]) => unit,
    freshness: immutable({ identity: ({ key }: Item) => [key] }),
    load: ([, n]) => {
      loads.push(`waveform ${n}`)
      return { key: `0111000${n}`, n }
    },
  })
  return { tide, era, events, waveforms, loads }
}

it.for(pairs)('$name: nothing is loaded again, and an era ends there as a whole', async ({ from, to }) => {
  const clock = new FakeClock()
  const [here, there] = [newPlace(), newPlace()]
  const first = open(from.open(here), clock)
  const list = await first.events.list('unit')
  const waveform = await first.waveforms.get(['unit', 3])
  await first.tide.close()
  const [source, target] = [from.open(here), to.open(there)]
  expect(await migrate({ from: source, to: target, clock })).toMatchObject({ copied: 7, otherEra: 0, changed: 0 })
  await source.close()
  await target.close()
  const second = open(to.open(there), clock)
  expect(await second.events.list('unit')).toEqual(list)
  expect(await second.waveforms.get(['unit', 3])).toEqual(waveform)
  expect(second.loads).toEqual([])
  expect(await second.era.renew('unit')).toEqual({ events: 5, waveforms: 1 })
  expect(await second.waveforms.stored(['unit', 3])).toBeUndefined()
  await second.tide.close()
})
