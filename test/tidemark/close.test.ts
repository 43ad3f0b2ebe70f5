import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTidemark, isTidemarkError, memory, sqlite, ttl, type Resource, type Tidemark, type Tier } from 'tidemark'
import { FakeClock, chaos } from 'tidemark/testing'
import { settled } from '../contract/stacks.ts'
import { testFolder } from '../folder.ts'

function open(tiers: readonly Tier[] = [memory(), sqlite({ path: ':memory:' })]) {
  const clock = new FakeClock()
  const tide = createTidemark({ tiers, clock })
  const signals: AbortSignal[] = []
  const users = tide.resource({
    name: 'users',
    load: (key: string, { signal }) => {
      signals.push(signal)
      return key.startsWith('hangs') ? new Promise<string>(() => {}) : key
    },
    freshness: ttl('1s'),
    staleWhileRevalidate: '10s',
    staleIfError: '1h',
  })
  return { tide, clock, users, signals }
}

function grouped(path: string): { tide: Tidemark; users: Resource<string, string> } {
  const tide = createTidemark({ tiers: [memory(), sqlite({ path })] })
  const users = tide.resource<string, string>({
    name: 'users',
    load: () => 'loaded',
    freshness: ttl('1h'),
    scope: () => 's',
    tags: () => ['t'],
    era: tide.era('e'),
  })
  return { tide, users }
}

const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (isTidemarkError(error) ? error.code : error),
  )

describe('close', () => {
  it('a reader that waits for a tier starts no load afterwards', async () => {
    const clock = new FakeClock()
    const slow = chaos(memory())
    const tide = createTidemark({ tiers: [memory(), slow], clock })
    let loads = 0
    const users = tide.resource({ name: 'users', load: (_key: string) => ++loads, freshness: ttl('1h') })
    slow.delay('get', 10)
    const reader = outcome(users.get('k'))
    const closing = tide.close()
    await clock.advance(10)
    expect(await reader).toBe('closed')
    await closing
    expect(loads).toBe(0)
    expect(clock.timers).toBe(0)
  })

  it('a set on its way into a tier is there first', async () => {
    const path = join(testFolder(), 'set.db')
    const clock = new FakeClock()
    const slow = chaos(sqlite({ path }))
    const tide = createTidemark({ tiers: [memory(), slow], clock })
    const users = tide.resource<string, string>({ name: 'users', load: () => 'loaded', freshness: ttl('1h') })
    slow.delay('put', 10)
    const told = outcome(users.set('k', 'new'))
    const closing = tide.close()
    await clock.advance(10)
    expect(await told).toBe('resolved')
    await closing
    const again = createTidemark({ tiers: [sqlite({ path })], clock })
    const stored = again.resource<string, string>({ name: 'users', load: () => 'loaded', freshness: ttl('1h') })
    expect(await stored.stored('k')).toBe('new')
    await again.close()
  })

  it('a removal in progress is done in every tier first, or is refused; it never resolves undone', async () => {
    const path = join(testFolder(), 'cache.db')
    for (const change of ['delete', 'clear', 'scope', 'tag', 'era', 'everything'] as const) {
      for (let turns = 0; turns < 8; turns++) {
        const { tide, users } = grouped(path)
        await users.set('k', 'old')
        const told = outcome(
          {
            delete: () => users.delete('k'),
            clear: () => users.clear(),
            scope: () => tide.scope('s').clear(),
            tag: () => tide.deleteTag('t'),
            era: () => tide.era('e').renew('s'),
            everything: () => tide.clear(),
          }[change](),
        )
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
        await tide.close()
        const after = grouped(path)
        const what = `${change}, closed after ${turns} turns`
        if ((await told) === 'resolved') expect(await after.users.stored('k'), what).toBeUndefined()
        else expect(await told, what).toBe('closed')
        await after.tide.close()
      }
    }
  })

  it('loads in progress get `closed`, and their loaders are told to stop', async () => {
    const { tide, users, signals } = open()
    const readers = [users.get('hangs 1'), users.get('hangs 1'), users.get('hangs 2')].map(outcome)
    await settled()
    const closing = tide.close()
    expect(await Promise.all(readers)).toEqual(['closed', 'closed', 'closed'])
    await closing
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    expect(signals.every(({ reason }) => isTidemarkError(reason, 'closed'))).toBe(true)
  })

  it('a reader that could fall back on a stale value is told as well: nothing is handed out by a closed cache', async () => {
    const { tide, clock, users } = open()
    await users.set('hangs', 'old')
    await clock.advance('20s')
    const reader = outcome(users.get('hangs'))
    await settled()
    await tide.close()
    expect(await reader).toBe('closed')
  })

  it('a collection that is loading as well', async () => {
    const { tide } = open()
    const events = tide.collection<string, number>({
      name: 'events',
      probe: () => ({ count: 1 }),
      load: () => new Promise<number[]>(() => {}),
    })
    const reader = outcome(events.list('u'))
    await settled()
    await tide.close()
    expect(await reader).toBe('closed')
  })

  it('done twice, or at the same time, is done once', async () => {
    let closed = 0
    const tier = memory()
    const close = tier.close.bind(tier)
    tier.close = () => {
      closed++
      return close()
    }
    const { tide } = open([tier])
    await Promise.all([tide.close(), tide.close()])
    await tide.close()
    expect(closed).toBe(1)
  })

  it('leaves no timer and no load behind, whatever was going on [proxies 38]', async () => {
    const { tide, clock, users } = open()
    await users.set('hangs behind', 'old')
    await clock.advance('2s')
    expect(await users.get('hangs behind')).toBe('old')
    const waiting = outcome(users.get('hangs'))
    await settled()
    expect((await tide.stats()).loading).toBe(2)
    await tide.close()
    await waiting
    await settled()
    expect((await tide.stats()).loading).toBe(0)
    expect(clock.timers).toBe(0)
  })

  it('`await using` closes at the end of the block, also when that throws', async () => {
    const { tide, users } = open()
    const use = async (): Promise<void> => {
      await using inside = tide
      expect(await users.get('a')).toBe('a')
      expect(inside).toBe(tide)
      throw new Error('in the block')
    }
    await expect(use()).rejects.toThrow('in the block')
    expect(await outcome(users.get('a'))).toBe('closed')
  })

  it('nothing is made of a closed cache, and what it counted can still be read', async () => {
    const { tide, users } = open()
    await users.get('a')
    await tide.close()
    const codeOf = (act: () => unknown): unknown => {
      try {
        act()
        return undefined
      } catch (error) {
        return isTidemarkError(error) ? error.code : error
      }
    }
    expect(codeOf(() => tide.resource({ name: 'late', load: () => 1, freshness: ttl('1s') }))).toBe('closed')
    expect(codeOf(() => tide.collection({ name: 'late', load: () => [], probe: () => ({ count: 0 }) }))).toBe('closed')
    expect(users.peek('a')).toBeUndefined()
    expect(await users.stats()).toMatchObject({ loads: 1 })
    expect(await tide.tiers()).toHaveLength(2)
  })
})
