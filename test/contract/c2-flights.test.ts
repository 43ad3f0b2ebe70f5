// C2: flights. One load for a key, bounded in time; failures are shared, never turned into values.

import { expect, it } from 'vitest'
import { isTidemarkError, memory, ttl, type Resource } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { deferred, eachStack, settled, subject } from './stacks.ts'

eachStack(({ make }) => {
  it('one-load-per-key: 1000 concurrent readers of a cold key share one load', async () => {
    const { tide } = make()
    let loads = 0
    const load = deferred<string>()
    const users = tide.resource({
      name: 'users',
      load: (_key: string) => {
        loads++
        return load.promise
      },
      freshness: ttl('1h'),
    })
    const readers = Array.from({ length: 1000 }, () => users.get('a'))
    await settled()
    load.resolve('v')
    expect(new Set(await Promise.all(readers))).toEqual(new Set(['v']))
    expect(loads).toBe(1)
  })

  it('waiters-share-failure: a failing load runs once for its waiters and each gets the error', async () => {
    const { tide } = make()
    let loads = 0
    const failure = new Error('source down')
    const load = deferred<string>()
    const users = tide.resource({
      name: 'users',
      load: (_key: string) => {
        loads++
        return load.promise
      },
      freshness: ttl('1h'),
    })
    const readers = Array.from({ length: 20 }, () => users.get('a').catch((error: unknown) => error))
    await settled()
    load.reject(failure)
    expect(new Set(await Promise.all(readers))).toEqual(new Set([failure]))
    expect(loads).toBe(1)
  })

  it('load-deadline: a hung loader rejects its waiters at the hard timeout, is aborted, and the next reader loads anew', async () => {
    const { tide, clock } = make()
    const signals: AbortSignal[] = []
    const users = tide.resource({
      name: 'users',
      load: (_key: string, { signal }) => {
        signals.push(signal)
        return signals.length === 1 ? new Promise<string>(() => {}) : 'v'
      },
      freshness: ttl('1h'),
    })
    const readers = [users.get('a'), users.get('a')].map((it) => it.catch((error: unknown) => error))
    await settled()
    await clock.advance('29999ms')
    expect(signals[0]?.aborted).toBe(false)
    await clock.advance(1)
    for (const error of await Promise.all(readers)) expect(isTidemarkError(error, 'load-timeout')).toBe(true)
    expect(signals[0]?.aborted).toBe(true)
    expect(await users.get('a')).toBe('v')
    expect(signals).toHaveLength(2)
  })

  it('load-deadline: what a timed-out loader brings later is stored nowhere', async () => {
    const { tide, clock } = make()
    const late = deferred<string>()
    let loads = 0
    const users = tide.resource({
      name: 'users',
      load: (_key: string) => (loads++ === 0 ? late.promise : 'new'),
      freshness: ttl('1h'),
      timeout: { hard: '1s' },
    })
    const first = users.get('a').catch(() => 'timed out')
    await settled()
    await clock.advance('1s')
    expect(await first).toBe('timed out')
    late.resolve('late')
    await settled()
    expect(users.peek('a')).toBeUndefined()
    expect(await users.get('a')).toBe('new')
  })

  it('hung-refresh-releases: a hung background refresh does not stop later refreshes', async () => {
    const { tide, clock } = make()
    let loads = 0
    const users = tide.resource({
      name: 'users',
      load: (_key: string) => {
        loads++
        return loads === 2 ? new Promise<string>(() => {}) : `v${loads}`
      },
      freshness: ttl('1s'),
      staleWhileRevalidate: '1h',
      timeout: { hard: '10s' },
    })
    await users.get('a')
    await clock.advance('1s')
    expect(await users.get('a')).toBe('v1')
    await settled()
    expect(loads).toBe(2)
    await clock.advance('10s')
    await clock.advance('2s')
    expect(await users.get('a')).toBe('v1')
    await settled()
    expect(loads).toBe(3)
    expect(await users.get('a')).toBe('v3')
  })

  it('release-is-owner-checked: a late flight never removes the registration of a newer one', async () => {
    const { tide } = make()
    const loads = [deferred<string>(), deferred<string>()]
    let started = 0
    const users = tide.resource({
      name: 'users',
      load: (_key: string) => (loads[started++] as PromiseWithResolvers<string>).promise,
      freshness: ttl('1h'),
    })
    const early = users.get('a')
    await settled()
    await users.delete('a')
    const late = users.get('a')
    await settled()
    loads[0]?.resolve('old')
    await early
    await settled()
    const joined = users.get('a')
    await settled()
    expect(started).toBe(2)
    loads[1]?.resolve('new')
    expect(await Promise.all([late, joined])).toEqual(['new', 'new'])
  })

  it('refresh-backoff: source down, 50 stale reads: at most 2 loader runs, then longer and longer pauses', async () => {
    const { tide, clock } = make()
    let loads = 0
    let down = false
    const users = tide.resource({
      name: 'users',
      load: async (_key: string) => {
        loads++
        if (down) throw new Error('down')
        return 'v'
      },
      freshness: ttl('1s'),
      staleWhileRevalidate: '1h',
      staleIfError: '1h',
    })
    await users.get('a')
    down = true
    loads = 0
    await clock.advance('1s')
    for (let i = 0; i < 50; i++) {
      expect(await users.get('a')).toBe('v')
      await settled()
    }
    expect(loads).toBeLessThanOrEqual(2)
    loads = 0
    for (let i = 0; i < 300; i++) {
      await clock.advance('100ms')
      await users.get('a')
      await settled()
    }
    // 30 s: pauses of 1, 2, 4, 8, 16 s, each shortened to at least half.
    expect(loads).toBeGreaterThanOrEqual(3)
    expect(loads).toBeLessThanOrEqual(9)
    down = false
    await clock.advance('31s')
    await users.get('a')
    await settled()
    expect((await users.read('a')).state).toBe('fresh')
  })

  it('refresh-backoff: the same when the stale value is only for failures', async () => {
    const { tide, clock } = make()
    let loads = 0
    const users = tide.resource({
      name: 'users',
      load: async (_key: string) => {
        if (loads++ > 0) throw new Error('down')
        return 'v'
      },
      freshness: ttl('1s'),
      staleIfError: '1h',
    })
    await users.get('a')
    await clock.advance('1s')
    for (let i = 0; i < 50; i++) {
      const reading = await users.read('a')
      expect(reading).toMatchObject({ value: 'v', state: 'stale', reason: 'source-unavailable' })
      expect(reading.error).toBeInstanceOf(Error)
    }
    expect(loads).toBe(2)
  })

  it('reentrant-load: a loader may read another key, but not, directly or in a circle, its own', async () => {
    const { tide } = make()
    const sums: Resource<string, number> = tide.resource({
      name: 'sums',
      load: async (key: string): Promise<number> => {
        if (key === 'own') return sums.get('own')
        if (key === 'ping') return sums.get('pong')
        if (key === 'pong') return sums.get('ping')
        return key === 'a' ? 1 + (await sums.get('b')) : 2
      },
      freshness: ttl('1h'),
    })
    expect(await sums.get('a')).toBe(3)
    for (const key of ['own', 'ping']) {
      const error: unknown = await sums.get(key).catch((it: unknown) => it)
      expect(isTidemarkError(error, 'reentrant-load'), key).toBe(true)
    }
  })

  it('reentrant-load: two loads that wait for each other are told, whoever came first', async () => {
    const { tide } = make()
    const meet = deferred<undefined>()
    const sums: Resource<string, number> = tide.resource({
      name: 'sums',
      load: async (key: string): Promise<number> => {
        await meet.promise
        return sums.get(key === 'left' ? 'right' : 'left')
      },
      freshness: ttl('1h'),
    })
    const both = [sums.get('left'), sums.get('right')].map((it) => it.catch((error: unknown) => error))
    await settled()
    meet.resolve(undefined)
    const errors = await Promise.all(both)
    expect(errors.every((error) => isTidemarkError(error, 'reentrant-load'))).toBe(true)
  })

  it('loader-error-propagates: never undefined in its place, and it never replaces a stored value', async () => {
    const { tide, clock } = make()
    let failing = true
    const users = tide.resource({
      name: 'users',
      load: async (_key: string) => {
        if (failing) throw new TypeError('no route')
        return 'v'
      },
      freshness: ttl('1s'),
      keep: '1h',
    })
    await expect(users.get('a')).rejects.toThrow(new TypeError('no route'))
    failing = false
    await users.get('a')
    failing = true
    await expect(users.get('a', { refresh: true })).rejects.toThrow('no route')
    expect(await users.get('a'), 'still fresh').toBe('v')
    await clock.advance('1s')
    await expect(users.get('a')).rejects.toThrow('no route')
    expect((await users.explain('a')).tiers[0]?.state).toBe('expired')
  })

  it('loader-error-propagates: a loader that returns undefined is an error, null is a value', async () => {
    const { tide } = make()
    const users = tide.resource({
      name: 'users',
      load: (key: string) => (key === 'none' ? null : (undefined as unknown as string)),
      freshness: ttl('1h'),
    })
    const error: unknown = await users.get('a').catch((it: unknown) => it)
    expect(isTidemarkError(error, 'load-returned-undefined')).toBe(true)
    expect(await users.get('none')).toBeNull()
    expect((await users.read('none')).reason).toBe('hit')
  })
})

it('refresh: the first goes off at once, those that ask meanwhile share the one after it', async () => {
  const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
  const loads: PromiseWithResolvers<number>[] = []
  const users = tide.resource({
    name: 'users',
    load: (_key: string) => {
      loads.push(deferred<number>())
      return (loads.at(-1) as PromiseWithResolvers<number>).promise
    },
    freshness: ttl('1h'),
  })
  const ordinary = users.get('a')
  await settled()
  const first = users.get('a', { refresh: true })
  const others = [1, 2, 3].map(() => users.get('a', { refresh: true }))
  await settled()
  expect(loads).toHaveLength(2)
  loads[1]?.resolve(1)
  expect(await first).toBe(1)
  await settled()
  expect(loads).toHaveLength(3)
  loads[2]?.resolve(2)
  expect(await Promise.all(others)).toEqual([2, 2, 2])
  loads[0]?.resolve(0)
  expect(await ordinary).toBe(0)
  expect(await users.get('a'), 'a load that was superseded is not stored').toBe(2)
})

it('soft timeout: a slow source leaves the reader with the stale value and goes on behind', async () => {
  const { tide, clock } = subject({ tiers: [memory()], clock: new FakeClock() })
  const slow = deferred<string>()
  let loads = 0
  const users = tide.resource({
    name: 'users',
    load: (_key: string) => (loads++ === 0 ? 'old' : slow.promise),
    freshness: ttl('1s'),
    staleIfError: '1h',
    timeout: { soft: '300ms' },
  })
  await users.get('a')
  await clock.advance('1s')
  const reading = users.read('a')
  await settled()
  await clock.advance('300ms')
  expect(await reading).toMatchObject({ value: 'old', state: 'stale', reason: 'source-slow', age: 1300 })
  slow.resolve('new')
  await settled()
  expect(await users.get('a')).toBe('new')
  expect(loads).toBe(2)
})
