import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { immutable, memory, sqlite, ttl, type TidemarkEvent } from 'tidemark'
import { FakeClock, chaos } from 'tidemark/testing'
import { settled, subject } from '../contract/stacks.ts'
import { testFolder } from '../folder.ts'
import { sql } from '../sqlite/tier.ts'

const folder = testFolder()

/** What resources, collections and tiers tell; health and sealing tell of themselves in tests of their own. */
const TYPES = {
  hit: ['name', 'key', 'tier', 'state'],
  miss: ['name', 'key'],
  loaded: ['name', 'key', 'tookMs', 'stored'],
  'load-failed': ['name', 'key', 'tookMs', 'error', 'retryAt'],
  set: ['name', 'key'],
  deleted: ['count'],
  invalidated: ['count'],
  era: ['era', 'scope', 'reason', 'dropped'],
  evicted: ['name', 'tier', 'count', 'cause'],
  skipped: ['name', 'key', 'tier', 'message'],
  corrupt: ['tier', 'message'],
  'tier-state': ['tier', 'state', 'reason'],
  'tier-failed': ['tier', 'operation', 'error'],
  progress: ['name', 'key', 'done', 'total'],
} as const satisfies Partial<Record<TidemarkEvent['type'], readonly string[]>>

it('every type of event is told in the life of a cache, with all it has to say, and never a value', async () => {
  const path = join(folder, 'events.db')
  const below = chaos(sqlite({ path }))
  const { tide, clock, events } = subject({
    tiers: [memory({ maxEntries: 4 }), { tier: below, budget: '5s' }],
    clock: new FakeClock(),
  })
  let down = false
  const users = tide.resource<readonly [string, string], unknown>({
    name: 'users',
    load: async ([, key], { progress }) => {
      progress(1, 2)
      if (down) throw new Error('down')
      return key === 'odd' ? () => 'secret' : { secret: 'secret', key }
    },
    era: tide.era('memory'),
    scope: ([unit]) => unit,
    tags: () => ['t'],
    freshness: immutable({ identity: (value) => [(value as { id?: string }).id] }),
  })
  await users.get(['u', 'a']) // progress, miss, loaded
  await users.get(['u', 'a']) // hit
  await users.set(['u', 'b'], { id: 'x', secret: 'secret' }) // set
  await users.set(['u', 'b'], { id: 'y', secret: 'secret' }) // era
  await users.get(['u', 'odd']) // skipped
  await users.invalidate(['u', 'b']) // invalidated
  await users.delete(['u', 'b']) // deleted
  down = true
  await users.get(['u', 'c']).catch(() => {}) // load-failed
  down = false
  for (let i = 0; i < 6; i++) await users.get(['u', `k${i}`]) // evicted
  sql(path, 'UPDATE entries SET value = \'{"secret":1}\'')
  for (let i = 0; i < 6; i++) await users.get(['u', `k${i}`]) // corrupt
  below.fail('get', { times: 1 })
  await users.get(['u', 'missing']) // tier-failed, tier-state
  await clock.advance('10s')
  await settled()

  expect(new Set(events.map(({ type }) => type))).toEqual(new Set(Object.keys(TYPES)))
  for (const event of events as (TidemarkEvent & { type: keyof typeof TYPES })[]) {
    for (const field of TYPES[event.type]) expect(Object.keys(event), event.type).toContain(field)
    expect(JSON.stringify(event), event.type).not.toContain('secret')
  }
})

it('what a group lost is told as the group', async () => {
  const { tide, events } = subject({ tiers: [memory()], clock: new FakeClock() })
  const users = tide.resource({
    name: 'users',
    load: (key: string) => key,
    scope: () => 's',
    tags: () => ['t'],
    freshness: ttl('1h'),
  })
  const acts = [
    () => users.clear(),
    () => tide.scope('s').clear(),
    () => tide.deleteTag('t'),
    () => tide.clear(),
    () => tide.scope('s').invalidate(),
    () => tide.invalidateTag('t'),
  ]
  for (const act of acts) {
    await users.get('a', { refresh: true })
    events.length = 0
    await act()
    expect(events).toHaveLength(1)
  }
  const told: object[] = []
  tide.on('event', (event) => told.push(event))
  for (const act of acts) {
    await users.set('a', 'a')
    await act()
  }
  expect(told.filter((it) => 'count' in it)).toEqual([
    { type: 'deleted', name: 'users', count: 1 },
    { type: 'deleted', scope: 's', count: 1 },
    { type: 'deleted', tag: 't', count: 1 },
    { type: 'deleted', count: 1 },
    { type: 'invalidated', scope: 's', count: 1 },
    { type: 'invalidated', tag: 't', count: 1 },
  ])
})

it('a listener that throws does no harm to anything, wherever it is called', async () => {
  const { tide, clock } = subject({
    tiers: [memory({ maxEntries: 3 }), { tier: chaos(memory()).fail('get', { times: 5 }), budget: '5s' }],
    clock: new FakeClock(),
  })
  const listener = vi.fn<() => void>(() => {
    throw new Error('listener')
  })
  const rejected = vi.fn<(reason: unknown) => void>()
  process.on('unhandledRejection', rejected)
  tide.on('event', listener)
  const users = tide.resource({
    name: 'users',
    load: (key: number) => key,
    scope: () => 's',
    freshness: ttl('1s'),
    staleWhileRevalidate: '10s',
  })
  for (let i = 0; i < 8; i++) expect(await users.get(i)).toBe(i)
  await clock.advance('2s')
  for (let i = 0; i < 8; i++) expect(await users.get(i)).toBe(i)
  await users.set(1, 1)
  await users.delete(1)
  await tide.scope('s').clear()
  await settled()
  process.off('unhandledRejection', rejected)
  expect(listener.mock.calls.length).toBeGreaterThan(20)
  expect(rejected).not.toHaveBeenCalled()
})
