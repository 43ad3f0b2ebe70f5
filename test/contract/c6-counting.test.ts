// C6: counting. Requests are hits plus misses, one of each however many tiers were asked; labels are few.

import { expect, it } from 'vitest'
import { memory, ttl } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { eachStack, settled, subject } from './stacks.ts'

eachStack(({ make, again, isPersistent, lasting }) => {
  it('stats-add-up: requests = hits + misses, one miss a request, a request served by the second tier is a hit [proxies S1, S5]', async () => {
    const first = make()
    let down = false
    const options = {
      name: 'users',
      load: async (_key: string) => {
        if (down) throw new Error('down')
        return 'v'
      },
      freshness: ttl('1m'),
      staleWhileRevalidate: '1m',
      staleIfError: '1h',
    } as const
    const users = first.tide.resource(options)
    let requests = 0
    const get = async (key: string): Promise<void> => {
      requests++
      await users.get(key).catch(() => {})
    }
    await get('a')
    await get('a')
    await Promise.all([get('b'), get('b'), get('b')])
    await first.clock.advance('1m')
    await get('a')
    await settled()
    down = true
    await first.clock.advance('3m')
    await get('a')
    await get('a')
    await get('c')
    const stats = await users.stats()
    expect(stats.requests).toBe(requests)
    expect(stats.hits + stats.misses).toBe(requests)
    expect(stats.hits).toBe(Object.values(stats.hitsByTier).reduce((sum, n) => sum + n, 0))
    // a, a, b b b share one load each; a stale and refreshed; a falls back twice, once without asking; c fails.
    expect(stats).toMatchObject({ misses: 6, hits: 3, staleHits: 2, fallbacks: 2, loads: 5, loadFailures: 2 })
    if (!isPersistent) return
    await first.tide.close()
    const second = again().tide.resource(options)
    await second.get('a').catch(() => {})
    expect(await second.stats()).toMatchObject({ requests: 1 })
  })

  it('stats-add-up: a hit in the lower tier is one hit and no miss [proxies S1]', async () => {
    if (!isPersistent) return
    const options = { name: 'users', load: async (_key: string) => 'v', freshness: ttl('1h') } as const
    const first = make()
    await first.tide.resource(options).get('a')
    await first.tide.close()
    const users = again().tide.resource(options)
    await users.get('a')
    expect(await users.stats()).toMatchObject({ requests: 1, hits: 1, misses: 0, hitsByTier: { [lasting]: 1 } })
  })

  it('stats-add-up: an entry that times out, or is deleted, is one eviction however many tiers had it [proxies S4]', async () => {
    const { tide, clock } = make()
    const users = tide.resource({ name: 'users', load: async (key: string) => key, freshness: ttl('1m') })
    await users.getMany(['a', 'b', 'c'])
    await users.delete('a')
    await users.delete('missing')
    await clock.advance('1m')
    for (let i = 0; i < 6; i++) {
      await clock.advance('1s')
      await settled()
    }
    expect((await users.stats()).evictions).toEqual({ size: 0, ttl: 2, explicit: 1, era: 0, corrupt: 0 })
  })

  it('labels-are-bounded: stats have names and tiers, never keys', async () => {
    const { tide } = make()
    const users = tide.resource({ name: 'users', load: async (key: string) => key, freshness: ttl('1h') })
    for (let i = 0; i < 500; i++) await users.get(`secret-key-${i}`)
    const text = JSON.stringify(await tide.stats())
    expect(text).not.toContain('secret-key')
    expect(text.length).toBeLessThan(1500)
  })
})

it('stats-add-up: each eviction for want of room is counted once, by cause', async () => {
  const clock = new FakeClock()
  const told: string[] = []
  const { tide, events } = subject({
    tiers: [memory({ maxEntries: 10, onEvict: (key, _, cause) => told.push(`${key.id} ${cause}`) })],
    clock,
  })
  const users = tide.resource({ name: 'users', load: async (key: string) => key, freshness: ttl('1h') })
  for (let i = 0; i < 25; i++) await users.get(String(i))
  expect((await users.stats()).evictions.size).toBe(15)
  expect(told).toHaveLength(15)
  expect(events.filter(({ type }) => type === 'evicted')).toHaveLength(15)
})

it('an onEvict that throws changes nothing and is reported [proxies 23]', async () => {
  const clock = new FakeClock()
  const onEvict = (): void => {
    throw new Error('callback')
  }
  const { tide, events } = subject({ tiers: [memory({ maxEntries: 2, onEvict })], clock })
  const users = tide.resource({ name: 'users', load: async (key: string) => key, freshness: ttl('1h') })
  for (const key of ['a', 'b', 'c']) await users.set(key, key)
  expect(await users.get('c')).toBe('c')
  expect(events.filter(({ type }) => type === 'tier-failed')).toMatchObject([{ tier: 'memory', operation: 'onEvict' }])
})
