// Every count is exact: a script of requests and what the numbers are after it.

import { expect, it } from 'vitest'
import { memory, sqlite, ttl } from 'tidemark'
import { FakeClock, chaos } from 'tidemark/testing'
import { settled, subject } from '../contract/stacks.ts'

const NONE = { size: 0, ttl: 0, explicit: 0, era: 0, corrupt: 0 }

it('a day in the life of a name', async () => {
  const below = chaos(sqlite({ path: ':memory:' }))
  const { tide, clock } = subject({ tiers: [memory(), { tier: below, budget: '5s' }], clock: new FakeClock() })
  let down = false
  const users = tide.resource<string, unknown>({
    name: 'users',
    load: async (key) => {
      if (down) throw new Error('down')
      return key === 'odd' ? () => 'a function' : key
    },
    freshness: ttl('10s'),
    staleWhileRevalidate: '10s',
    staleIfError: '1h',
  })
  const zero = await users.stats()
  for (const [what, count] of Object.entries({ ...zero, hitsByTier: 0, evictions: 0 })) expect(count, what).toBe(0)
  expect([zero.hitsByTier, zero.evictions]).toEqual([{}, NONE])

  await users.get('a') // a miss, a load
  await users.get('a') // a hit in memory
  await users.set('b', 'b')
  await users.get('b') // a hit in memory
  expect(await users.stats()).toEqual({
    ...zero,
    requests: 3,
    hits: 2,
    hitsByTier: { memory: 2 },
    misses: 1,
    loads: 1,
    sets: 1,
  })

  await clock.advance('10s')
  await users.get('a') // a stale hit, and a load behind it
  await settled()
  expect(await users.stats()).toMatchObject({ requests: 4, hits: 3, staleHits: 1, misses: 1, loads: 2 })

  down = true
  await clock.advance('20s')
  await users.get('a') // a miss that falls back: the load fails
  await users.get('a') // a stale hit: the source is left alone
  expect(await users.stats()).toMatchObject({
    requests: 6,
    hits: 4,
    staleHits: 2,
    misses: 2,
    fallbacks: 2,
    partials: 0,
    loads: 3,
    loadFailures: 1,
  })

  down = false
  await users.delete('a')
  await users.delete('missing')
  await users.invalidate('b')
  expect(await users.stats()).toMatchObject({ deletes: 2, invalidations: 1, evictions: { ...NONE, explicit: 1 } })

  await users.get('odd') // loaded, but no tier below memory can hold it
  await users.get('odd')
  expect(await users.stats()).toMatchObject({ requests: 8, hits: 5, misses: 3, skipped: 1 })

  const racing = users.get('race')
  await users.delete('race')
  await racing
  expect(await users.stats()).toMatchObject({ loads: 5, refused: 1 })

  expect(await users.clear()).toBe(2)
  expect(await users.stats()).toMatchObject({ evictions: { ...NONE, explicit: 3 } })
  expect((await tide.stats()).names).toEqual({ users: await users.stats() })
})

it('a reader that shares a load is one miss; one that shares a failure is one miss and no fallback', async () => {
  const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
  const users = tide.resource({
    name: 'users',
    load: async (key: string) => {
      await settled()
      if (key === 'bad') throw new Error('down')
      return key
    },
    freshness: ttl('10s'),
  })
  await Promise.all([users.get('a'), users.get('a'), users.get('a')])
  await Promise.allSettled([users.get('bad'), users.get('bad')])
  expect(await users.stats()).toMatchObject({
    requests: 5,
    hits: 0,
    misses: 5,
    fallbacks: 0,
    partials: 0,
    loads: 2,
    loadFailures: 1,
  })
})

it('a key that is none, and a cache that is closed, are no requests', async () => {
  const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
  const users = tide.resource({ name: 'users', load: (key: number) => key, freshness: ttl('10s') })
  await users.get(Number.NaN).catch(() => {})
  await tide.close()
  await users.get(1).catch(() => {})
  expect(await users.stats()).toMatchObject({ requests: 0, loads: 0 })
})

it('loads in progress are told by the cache as a whole', async () => {
  const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
  const gate = Promise.withResolvers<string>()
  const users = tide.resource({ name: 'users', load: (_key: string) => gate.promise, freshness: ttl('10s') })
  const all = [users.get('a'), users.get('a'), users.get('b')]
  await settled()
  expect((await tide.stats()).loading).toBe(2)
  gate.resolve('v')
  await Promise.all(all)
  expect((await tide.stats()).loading).toBe(0)
})
