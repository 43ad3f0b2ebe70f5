// Only what is missing is ever loaded; what the source lost or changed is a new era.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isTidemarkError, memory, sqlite, ttl, type Tier } from 'tidemark'
import { deferred, settled } from '../contract/stacks.ts'
import { testFolder } from '../folder.ts'
import { Source, open, type Item } from './source.ts'

const folder = testFolder()
let files = 0
const STACKS: readonly (readonly [string, () => Tier[]])[] = [
  ['memory', () => [memory()]],
  ['sqlite', () => [sqlite({ path: ':memory:' })]],
  ['memory + sqlite', () => [memory(), sqlite({ path: ':memory:' })]],
]

describe.for(STACKS)('%s', ([, tiers]) => {
  it('growth: only the tail is loaded', async () => {
    const { events, source } = open(tiers())
    source.record(3)
    expect(await events.list('u')).toEqual(source.items)
    expect(source.questions()).toEqual(['probe', '0-3'])
    expect(await events.sync('u')).toEqual({ total: 3, added: 0, era: 'same' })
    expect(source.questions()).toEqual(['probe'])
    source.record(2)
    expect(await events.read('u')).toMatchObject({ value: source.items, reason: 'loaded', added: 2, era: 'same' })
    expect(source.questions()).toEqual(['probe', '3-5'])
    source.record(1)
    expect(await events.sync('u')).toEqual({ total: 6, added: 1, era: 'same' })
    expect(source.questions()).toEqual(['probe', '5-6'])
    expect(await events.list('u')).toEqual(source.items)
  })

  it('an empty source is a list of none, known as such', async () => {
    const { events, source } = open(tiers())
    expect(await events.list('u')).toEqual([])
    expect(await events.sync('u')).toEqual({ total: 0, added: 0, era: 'same' })
    expect(source.questions()).toEqual(['probe', 'probe'])
    source.record(2)
    expect(await events.sync('u')).toEqual({ total: 2, added: 2, era: 'same' })
  })

  it('shrink: a new era, loaded from the start', async () => {
    const { tide, events, source } = open(tiers())
    const told: string[] = []
    tide.on('event', (event) => {
      if (event.type === 'era') told.push(`${event.scope}: ${event.reason}: ${event.dropped['events']}`)
    })
    source.record(5)
    await events.list('u')
    source.questions()
    source.erase(2)
    expect(await events.read('u')).toMatchObject({ value: source.items, added: 2, era: 'new' })
    expect(source.questions()).toEqual(['probe', 'probe', '0-2'])
    expect(told).toEqual(['u: the source has 2 items, 5 were known: 5'])
    expect((await events.stats()).evictions.era).toBe(5)
    expect(await events.count()).toBe(2)
    source.erase(0)
    expect(await events.sync('u')).toEqual({ total: 0, added: 0, era: 'new' })
    expect(await events.list('u')).toEqual([])
  })

  it('erased and filled to the same count, or beyond it: seen by the first or the last item', async () => {
    for (const count of [4, 6]) {
      const { events, source } = open(tiers())
      source.record(4)
      await events.list('u')
      source.erase(count)
      expect(await events.sync('u')).toEqual({ total: count, added: count, era: 'new' })
      expect(await events.list('u')).toEqual(source.items)
    }
    const { events, source } = open(tiers())
    source.record(3)
    await events.list('u')
    source.items = [...source.items.slice(0, 2), { stamp: 'rewritten', n: 2 }]
    expect(await events.sync('u')).toMatchObject({ era: 'new' })
    expect(await events.list('u')).toEqual(source.items)
  })

  it('an item that names another thing than what the era knows under its key: a new era for all members', async () => {
    const { tide } = open(tiers())
    const source = new Source()
    source.tells = false
    const era = tide.era('device-memory')
    const member = (name: string) =>
      tide.collection<string, Item>({
        name,
        era,
        scope: (unit) => unit,
        probe: () => source.probe(),
        load: (_unit, { from, to }) => source.load(from, to),
        identity: (item) => [item.stamp],
      })
    const [headers, traces] = [member('headers'), member('traces')]
    source.record(2)
    await Promise.all([headers.list('u'), traces.list('u')])
    source.erase(3)
    expect(await headers.read('u'), 'nothing known says that items 0 and 1 are others now').toMatchObject({
      era: 'same',
    })
    expect(await traces.read('u', { refresh: true })).toMatchObject({ value: source.items, era: 'new' })
    expect(await headers.list('u')).toEqual(source.items)
  })

  it('what is missing in the middle is loaded, and nothing else', async () => {
    const { events, source } = open(tiers())
    source.record(6)
    await events.list('u')
    source.record(4)
    await events.set('u', new Map([[9, source.items[9] as Item]]))
    source.questions()
    expect(await events.list('u')).toEqual(source.items)
    expect(source.questions()).toEqual(['probe', '6-9'])
  })

  it('refresh loads everything again', async () => {
    const { events, source } = open(tiers())
    source.record(3)
    await events.list('u')
    source.questions()
    expect(await events.list('u', { refresh: true })).toEqual(source.items)
    expect(source.questions()).toEqual(['probe', '0-3'])
  })

  it('collections of one scope keep apart what is not theirs', async () => {
    const sources = { a: new Source(), 'a:1': new Source(), b: new Source() }
    const { events } = open(tiers(), {
      scope: (key) => key.slice(0, 1),
      probe: (key) => sources[key as 'a'].probe(),
      load: (key, { from, to }) => sources[key as 'a'].load(from, to),
      identity: undefined,
    })
    for (const [key, source] of Object.entries(sources)) {
      source.record(3)
      await events.list(key)
      source.questions()
    }
    expect(await events.clear('a')).toBe(3)
    for (const key of ['a:1', 'b'] as const) {
      await events.list(key)
      expect(sources[key].questions(), key).toEqual(['probe'])
    }
    expect(await events.clear('a:1')).toBe(3)
    expect(await events.clear('a:1')).toBe(0)
    expect(await events.count()).toBe(3)
  })
})

describe('freshness of the count', () => {
  it('by default every list asks; with a ttl none does until it is over', async () => {
    const eager = open([memory()])
    eager.source.record(1)
    for (let i = 0; i < 3; i++) await eager.events.list('u')
    expect(eager.source.questions()).toEqual(['probe', '0-1', 'probe', 'probe'])

    const { events, source, clock } = open([memory()], { freshness: ttl('10s') })
    source.record(1)
    await events.list('u')
    source.record(1)
    await clock.advance('9999ms')
    expect(await events.read('u')).toMatchObject({
      reason: 'hit',
      tier: 'memory',
      value: [source.items[0]],
      age: 9_999,
    })
    await clock.advance(1)
    expect(await events.read('u')).toMatchObject({ reason: 'loaded', value: source.items, age: 0 })
    expect(source.questions()).toEqual(['probe', '0-1', 'probe', '1-2'])
  })

  it('within its windows a stale list is handed out: at once, or when the source fails', async () => {
    const { events, source, clock } = open([memory()], {
      freshness: ttl('10s'),
      staleWhileRevalidate: '10s',
      staleIfError: '1m',
    })
    source.record(1)
    await events.list('u')
    source.record(1)
    await clock.advance('10s')
    expect(await events.read('u')).toMatchObject({ reason: 'revalidating', state: 'stale', value: [source.items[0]] })
    await settled()
    expect(await events.read('u')).toMatchObject({ reason: 'hit', value: source.items })
    source.down = new Error('down')
    await clock.advance('25s')
    const reading = await events.read('u')
    expect(reading).toMatchObject({
      reason: 'source-unavailable',
      state: 'stale',
      value: source.items,
      error: source.down,
    })
    await clock.advance('1m')
    await expect(events.list('u')).rejects.toThrow('down')
    expect(await events.stats()).toMatchObject({ loads: 4, loadFailures: 2, fallbacks: 1 })
  })
})

describe('restart', () => {
  it('what is in the file is not loaded again, only asked for its count', async () => {
    const path = join(folder, `${++files}.db`)
    const first = open([memory(), sqlite({ path })])
    first.source.record(50)
    await first.events.list('u')
    await first.tide.close()
    const second = open([memory(), sqlite({ path })], {}, first.source, first.clock)
    second.source.record(1)
    second.source.questions()
    expect(await second.events.list('u')).toEqual(second.source.items)
    expect(second.source.questions()).toEqual(['probe', '50-51'])
    expect(await second.events.at('u', 7)).toEqual(second.source.items[7])
    await second.tide.close()
    second.source.erase(51)
    const third = open([memory(), sqlite({ path })], {}, second.source, second.clock)
    expect(await third.events.sync('u'), 'the identity is in the file as well').toMatchObject({ era: 'new' })
    expect(await third.events.list('u')).toEqual(third.source.items)
  })
})

describe('many readers', () => {
  it('share one sync; who comes while it loads gets what it brings', async () => {
    const { events, source } = open([memory()])
    source.record(3)
    const gate = deferred<undefined>()
    source.gate = gate.promise
    const lists = [events.list('u'), events.list('u')]
    await settled()
    const late = events.list('u')
    const synced = events.sync('u')
    await settled()
    gate.resolve(undefined)
    for (const list of await Promise.all([...lists, late])) expect(list).toEqual(source.items)
    expect(await synced).toEqual({ total: 3, added: 3, era: 'same' })
    expect(source.questions()).toEqual(['probe', '0-3'])
    expect(await events.stats()).toMatchObject({ misses: 3, loads: 1 })
  })

  it('a list that is cleared while it loads is not stored', async () => {
    const { events, source } = open([memory()])
    source.record(2)
    const gate = deferred<undefined>()
    source.gate = gate.promise
    const list = events.list('u')
    await settled()
    await events.clear('u')
    gate.resolve(undefined)
    expect(await list).toEqual(source.items)
    source.questions()
    source.record(1)
    expect(await events.list('u')).toEqual(source.items)
    expect(source.questions().at(0)).toBe('probe')
  })
})

describe('a source that does not keep its word', () => {
  it.for<readonly [string, object, string]>([
    ['a count that is none', { probe: () => ({ count: -1 }) }, 'invalid-value'],
    ['no count', { probe: () => ({}) }, 'invalid-value'],
    ['nothing', { probe: () => undefined }, 'invalid-value'],
    ['too few items', { load: () => [] }, 'invalid-value'],
    ['too many items', { load: () => [{}, {}, {}] }, 'invalid-value'],
    ['no items', { load: () => null }, 'invalid-value'],
    [
      'an item that is undefined',
      { load: () => [{ stamp: 'a' }, undefined], identity: undefined },
      'load-returned-undefined',
    ],
  ])('%s: an error, and nothing is stored', async ([, options, code]) => {
    const { events, source } = open([memory()], options)
    source.record(2)
    const error: unknown = await events.list('u').catch((it: unknown) => it)
    expect(isTidemarkError(error, code as 'invalid-value'), String(error)).toBe(true)
    expect(await events.count()).toBe(0)
  })

  it('items that are null are items', async () => {
    const { events } = open([memory()], {
      probe: () => ({ count: 2 }),
      load: () => [null, null] as never,
      identity: undefined,
    })
    expect(await events.list('u')).toEqual([null, null])
    expect(await events.at('u', 1)).toBeNull()
  })
})
