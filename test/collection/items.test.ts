// Single items, items that come from elsewhere, and what is removed.

import { describe, expect, it } from 'vitest'
import { isTidemarkError, memory, sqlite, ttl, type Identity } from 'tidemark'
import { settled } from '../contract/stacks.ts'
import { open } from './source.ts'

const codeOf = (act: Promise<unknown>): Promise<unknown> =>
  act.then(
    () => undefined,
    (error: unknown) => (isTidemarkError(error) ? error.code : error),
  )

describe('at', () => {
  it('answers from what is stored, without asking', async () => {
    const { events, source, clock } = open([memory(), sqlite({ path: ':memory:' })])
    source.record(3)
    expect(await events.at('u', 1)).toEqual(source.items[1])
    expect(source.questions()).toEqual(['probe', '0-3'])
    await clock.advance('5s')
    expect(await events.readAt('u', 2)).toEqual({
      value: source.items[2],
      state: 'fresh',
      reason: 'hit',
      tier: 'memory',
      age: 5_000,
      loadedAt: clock.now() - 5_000,
    })
    expect(source.questions()).toEqual([])
  })

  it('asks for one that is not known yet', async () => {
    const { events, source } = open([memory()])
    source.record(1)
    await events.list('u')
    source.record(1)
    expect(await events.at('u', 1)).toEqual(source.items[1])
    source.questions()
    expect(await events.at('u', 0, { refresh: true })).toEqual(source.items[0])
    expect(source.questions()).toEqual(['probe', '0-2'])
  })

  it('is out of range for what the source does not have', async () => {
    const { events, source } = open([memory()])
    source.record(2)
    expect(await codeOf(events.at('u', 2))).toBe('out-of-range')
    await expect(events.at('u', 7)).rejects.toThrow('events has no item 7. It has 2.')
    source.questions()
    for (const index of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(await codeOf(events.at('u', index))).toBe('out-of-range')
    expect(source.questions(), 'what can be no index is not asked for').toEqual([])
  })
})

describe('set', () => {
  it('backfills: items become part of the list, the rest is loaded when it is listed', async () => {
    const { events, source } = open([memory(), sqlite({ path: ':memory:' })])
    source.record(4)
    await events.set(
      'u',
      new Map([
        [1, source.items[1]!],
        [3, source.items[3]!],
      ]),
    )
    expect(await events.stored('u')).toEqual(
      new Map([
        [1, source.items[1]],
        [3, source.items[3]],
      ]),
    )
    expect(source.questions()).toEqual([])
    expect(await events.list('u')).toEqual(source.items)
    expect(source.questions()).toEqual(['probe', '0-1', '2-3'])
    expect(await events.at('u', 1)).toEqual(source.items[1])
  })

  it('an item set again is the new one; the others stay', async () => {
    const { events, source } = open([memory()], { identity: undefined })
    source.record(3)
    source.tells = false
    await events.list('u')
    await events.set('u', new Map([[1, { stamp: 'corrected', n: 1 }]]))
    expect((await events.list('u')).map(({ stamp }) => stamp)).toEqual([
      'life 0, item 0',
      'corrected',
      'life 0, item 2',
    ])
    source.questions()
    expect(await events.sync('u')).toEqual({ total: 3, added: 0, era: 'same' })
    expect(source.questions()).toEqual(['probe'])
  })

  it('what was known of an identity and is not said again is kept, and still tells another thing from it', async () => {
    const { events } = open([memory()], {
      identity: ({ stamp }): Identity => (stamp === '' ? [undefined, 'n'] : [stamp, undefined]),
      probe: () => ({ count: 1 }),
      load: () => [{ stamp: 'a', n: 0 }],
    })
    await events.list('u')
    await events.set('u', new Map([[0, { stamp: '', n: 5 }]]))
    expect(await events.stored('u')).toEqual(new Map([[0, { stamp: '', n: 5 }]]))
    await events.set('u', new Map([[0, { stamp: 'a', n: 6 }]]))
    expect((await events.stats()).evictions.era, 'it is still a').toBe(0)
    await events.set('u', new Map([[0, { stamp: 'b', n: 7 }]]))
    expect((await events.stats()).evictions.era, 'b is another thing').toBe(1)
    expect(await events.stored('u')).toEqual(new Map([[0, { stamp: 'b', n: 7 }]]))
  })

  it('an item that names another thing ends the era of all that was stored', async () => {
    const { tide, events, source } = open([memory(), sqlite({ path: ':memory:' })])
    const told: string[] = []
    tide.on('event', (event) => {
      if (event.type === 'era') told.push(event.reason)
    })
    source.record(3)
    await events.list('u')
    source.erase(3)
    await events.set('u', new Map([[2, source.items[2]!]]))
    expect(told).toEqual(['item 2 of events names another thing now'])
    expect(await events.stored('u')).toEqual(new Map([[2, source.items[2]]]))
    expect(await events.list('u')).toEqual(source.items)
  })

  it('wins over a sync that is under way', async () => {
    const { events, source } = open([memory()], { identity: undefined })
    source.record(1)
    source.tells = false
    const gate = Promise.withResolvers<undefined>()
    source.gate = gate.promise
    const list = events.list('u')
    await settled()
    await events.set('u', new Map([[0, { stamp: 'set', n: 0 }]]))
    gate.resolve(undefined)
    await list
    expect((await events.at('u', 0)).stamp).toBe('set')
  })

  it.for<readonly [string, ReadonlyMap<number, unknown>, string]>([
    ['an index below 0', new Map([[-1, {}]]), 'out-of-range'],
    ['half an index', new Map([[0.5, {}]]), 'out-of-range'],
    ['an item that is undefined', new Map([[0, undefined]]), 'invalid-value'],
  ])('%s is refused, and nothing of the rest is stored', async ([, items, code]) => {
    const { events } = open([memory()], { identity: undefined })
    expect(await codeOf(events.set('u', new Map([[1, { stamp: 'good', n: 1 }], ...items]) as never))).toBe(code)
    expect(await events.stored('u')).toBeUndefined()
  })
})

describe('what is removed', () => {
  it('clear takes one collection, tells how many items, and the next list loads it', async () => {
    for (const tiers of [[memory()], [memory(), sqlite({ path: ':memory:' })]]) {
      const { events, source } = open(tiers)
      source.record(4)
      await events.list('u')
      await events.list('v')
      expect(await events.clear('u')).toBe(4)
      expect(await events.stored('u')).toBeUndefined()
      expect((await events.stored('v'))?.size).toBe(4)
      expect(await events.clear('u')).toBe(0)
      source.questions()
      expect(await events.read('u')).toMatchObject({ added: 4, era: 'same' })
      expect(source.questions()).toEqual(['probe', '0-4'])
      expect(await events.stats()).toMatchObject({ deletes: 2, evictions: { explicit: 4 } })
    }
  })

  it('invalidate has every item loaded again, and falls back to the old ones while the source is down', async () => {
    const { events, source } = open([memory()], { freshness: ttl('1h'), staleIfError: '1h' })
    source.record(2)
    await events.list('u')
    source.questions()
    await events.invalidate('u')
    source.down = new Error('down')
    expect(await events.read('u')).toMatchObject({ value: source.items, reason: 'source-unavailable' })
    source.down = undefined
    source.questions()
    await events.invalidate('u')
    expect(await events.read('u')).toMatchObject({ reason: 'loaded' })
    expect(source.questions()).toEqual(['probe', '0-2'])
  })

  it('the scope takes them with everything else of the unit', async () => {
    const windows = { freshness: ttl('1h'), staleIfError: '1h' } as const
    const { tide, events, source } = open([memory(), sqlite({ path: ':memory:' })], windows)
    const status = tide.resource({ name: 'status', load: (unit: string) => unit, scope: (unit) => unit, ...windows })
    source.record(3)
    for (const unit of ['u', 'v']) await Promise.all([events.list(unit), status.get(unit)])
    expect(await tide.scope('u').invalidate(), 'three items and a status').toBe(4)
    expect(await tide.scope('u').invalidate(), 'they are stale already').toBe(0)
    expect(await tide.scope('u').clear()).toEqual({ events: 3, status: 1 })
    expect(await tide.scope('u').clear()).toEqual({})
    expect([await events.count(), await status.count()]).toEqual([3, 1])
    expect((await events.stats()).evictions.explicit).toBe(3)
  })
})

it('what is no option, or no fit value, is refused by name', () => {
  const { tide } = open([memory()])
  const good = { name: 'others', probe: () => ({ count: 0 }), load: () => [] }
  const told = (options: object): string => {
    try {
      tide.collection(options as never)
      return 'none'
    } catch (error) {
      return isTidemarkError(error) ? `${error.code} ${String(error.data['option'])}` : String(error)
    }
  }
  const cases: readonly (readonly [object, string])[] = [
    [{ ...good, tags: () => [] }, 'unknown-option tags'],
    [{ ...good, name: undefined }, 'invalid-option collection.name'],
    [{ ...good, key: 'id' }, 'invalid-option collection.key'],
    [{ ...good, scope: 's' }, 'invalid-option collection.scope'],
    [{ ...good, identity: ['key'] }, 'invalid-option collection.identity'],
    [{ ...good, probe: undefined }, 'invalid-option collection.probe'],
    [{ ...good, load: [] }, 'invalid-option collection.load'],
    [{ ...good, freshness: '10s' }, 'invalid-option collection.freshness'],
    [{ ...good, era: 'e' }, 'invalid-option collection.era'],
    [{ ...good, keep: 'long' }, 'invalid-duration keep'],
    [{ ...good, timeout: '5s' }, 'invalid-option collection.timeout'],
    [{ ...good, name: 'events' }, 'name-taken undefined'],
  ]
  for (const [options, expected] of cases) expect(told(options)).toBe(expected)
  expect(told(good)).toBe('none')
})
