import { describe, expect, it } from 'vitest'
import { immutable, isTidemarkError, memory, sqlite, ttl, untilInvalidated, type Tier } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { deferred, settled, subject } from '../contract/stacks.ts'

const STACKS: readonly (readonly [string, () => Tier[]])[] = [
  ['memory', () => [memory()]],
  ['sqlite', () => [sqlite({ path: ':memory:' })]],
  ['memory + sqlite', () => [memory(), sqlite({ path: ':memory:' })]],
]

function open(tiers: readonly Tier[]) {
  const { tide, events } = subject({ tiers, clock: new FakeClock() })
  const era = tide.era('device-memory')
  const scope = ([unit]: readonly [string, number]): string => unit
  const waveforms = tide.resource({
    name: 'waveforms',
    load: ([unit, n]: readonly [string, number]) => `${unit} ${n}`,
    era,
    scope,
    freshness: immutable(),
  })
  const headers = tide.collection<string, number>({
    name: 'headers',
    era,
    scope: (unit) => unit,
    probe: () => ({ count: 3 }),
    load: () => [0, 1, 2],
    freshness: ttl('1h'),
  })
  const info = tide.resource({
    name: 'info',
    load: (unit: string) => unit,
    scope: (unit) => unit,
    freshness: untilInvalidated(),
  })
  const fill = async (unit: string): Promise<void> => {
    await Promise.all([
      waveforms.getMany([
        [unit, 0],
        [unit, 1],
      ]),
      headers.list(unit),
      info.get(unit),
    ])
  }
  return { tide, events, era, waveforms, headers, info, fill }
}

describe.for(STACKS)('%s', ([, tiers]) => {
  it('renew drops all members in one scope together, and tells how many by name', async () => {
    const { era, waveforms, headers, info, fill, events } = open(tiers())
    await fill('u')
    await fill('v')
    expect(await era.renew('u')).toEqual({ waveforms: 2, headers: 3 })
    expect([await waveforms.count(), await headers.count(), await info.count()]).toEqual([2, 3, 2])
    expect([await waveforms.count({ scope: 'u' }), await headers.count({ scope: 'u' })]).toEqual([0, 0])
    expect(await headers.stored('u')).toBeUndefined()
    expect(events.filter(({ type }) => type === 'era')).toEqual([
      {
        type: 'era',
        era: 'device-memory',
        scope: 'u',
        reason: 'renewed by the application',
        dropped: { waveforms: 2, headers: 3 },
      },
    ])
    expect((await waveforms.stats()).evictions.era).toBe(2)
    expect((await headers.stats()).evictions.era).toBe(3)
    expect(await era.renew('u', 'erased from the front panel')).toEqual({})
    expect(events.at(-1)).toMatchObject({ reason: 'erased from the front panel', dropped: {} })
  })

  it('what was being loaded when it ended is stored nowhere', async () => {
    const { tide } = open(tiers())
    const gate = deferred<string>()
    const era = tide.era('other')
    const slow = tide.resource({
      name: 'slow',
      load: (_key: string) => gate.promise,
      era,
      scope: () => 'u',
      freshness: immutable(),
    })
    const reading = slow.get('a')
    await settled()
    await era.renew('u')
    gate.resolve('of the era that is over')
    expect(await reading).toBe('of the era that is over')
    expect(await slow.stored('a', { stale: true })).toBeUndefined()
    expect((await slow.stats()).refused).toBe(1)
  })

  it('two eras in one scope end by themselves', async () => {
    const { tide, era, waveforms } = open(tiers())
    const logs = tide.resource({
      name: 'logs',
      load: (unit: string) => unit,
      era: tide.era('log-memory'),
      scope: (unit) => unit,
      freshness: immutable(),
    })
    await Promise.all([waveforms.get(['u', 0]), logs.get('u')])
    await era.renew('u')
    expect(await logs.count()).toBe(1)
  })
})

describe('an era', () => {
  it('is the same object for the same name, and has a name that is one', () => {
    const { tide } = open([memory()])
    expect(tide.era('x')).toBe(tide.era('x'))
    expect(tide.era('x')).not.toBe(tide.era('y'))
    for (const name of [undefined, 5, 'a#b']) {
      let error: unknown
      try {
        tide.era(name as string)
      } catch (it) {
        error = it
      }
      expect(isTidemarkError(error, 'invalid-option')).toBe(true)
    }
  })

  it('sees that a key was used again in any of its members', async () => {
    const { tide, events } = subject({ tiers: [memory()], clock: new FakeClock() })
    const era = tide.era('memory')
    const member = (name: string) =>
      tide.resource<readonly [string, number], { id: string }>({
        name,
        load: () => ({ id: 'loaded' }),
        era,
        scope: ([unit]) => unit,
        freshness: immutable({ identity: ({ id }) => [id] }),
      })
    const [waveforms, pictures] = [member('waveforms'), member('pictures')]
    await waveforms.set(['u', 0], { id: 'first' })
    await pictures.set(['u', 0], { id: 'first' })
    expect(events.filter(({ type }) => type === 'era')).toEqual([])
    await pictures.set(['u', 0], { id: 'second' })
    expect(events.filter(({ type }) => type === 'era')).toMatchObject([
      { dropped: { waveforms: 1, pictures: 1 }, reason: 'pictures ["u",0] is now (second), was (first)' },
    ])
    expect(await waveforms.stored(['u', 0])).toBeUndefined()
    expect(await pictures.stored(['u', 0])).toEqual({ id: 'second' })
  })

  it('without an identity, or without a conflict, is not ended by a set or a load', async () => {
    const { events, waveforms, fill } = open([memory()])
    await fill('u')
    await waveforms.set(['u', 0], 'another value')
    await waveforms.get(['u', 1], { refresh: true })
    expect(events.filter(({ type }) => type === 'era')).toEqual([])
  })
})
