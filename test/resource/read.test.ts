// What a reading says: where the value came from, how old it is, why it is stale; and what is handed out when a load fails.

import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { isTidemarkError, memory, sqlite, ttl, type Duration } from 'tidemark'
import { FakeClock, chaos } from 'tidemark/testing'
import { deferred, settled, subject } from '../contract/stacks.ts'
import { testFolder } from '../folder.ts'

const folder = testFolder()
let files = 0

describe('readings', () => {
  it('tell each state with its reason, tier and age', async () => {
    const { tide, clock } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
    let down = false
    const users = tide.resource({
      name: 'users',
      load: async (key: string) => {
        if (down) throw new Error('down')
        return key
      },
      freshness: ttl('10s'),
      staleWhileRevalidate: '10s',
      staleIfError: '1m',
    })
    const loadedAt = clock.now()
    expect(await users.read('a')).toEqual({
      value: 'a',
      state: 'fresh',
      reason: 'loaded',
      tier: 'source',
      age: 0,
      loadedAt,
      revision: undefined,
    })
    await clock.advance('4s')
    expect(await users.read('a')).toMatchObject({ state: 'fresh', reason: 'hit', tier: 'memory', age: 4_000, loadedAt })
    down = true
    await clock.advance('6s')
    expect(await users.read('a')).toMatchObject({ state: 'stale', reason: 'revalidating', tier: 'memory', age: 10_000 })
    await settled()
    await clock.advance('10s')
    const fallback = await users.read('a')
    expect(fallback).toMatchObject({ state: 'stale', reason: 'source-unavailable', age: 20_000 })
    expect(fallback.error).toEqual(new Error('down'))
    await clock.advance('1m')
    await expect(users.read('a')).rejects.toThrow('down')
  })

  it('name the lower tier that answered, once; then memory has it [proxies 18]', async () => {
    const path = join(folder, `${++files}.db`)
    const clock = new FakeClock()
    const options = { name: 'users', load: async (key: string) => key, freshness: ttl('1h') } as const
    const first = subject({ tiers: [memory(), sqlite({ path })], clock })
    await first.tide.resource(options).get('a')
    await first.tide.close()
    await clock.advance('5s')
    const users = subject({ tiers: [memory(), sqlite({ path })], clock }).tide.resource(options)
    expect(await users.read('a')).toMatchObject({ reason: 'hit', tier: 'sqlite', age: 5_000 })
    expect(await users.read('a')).toMatchObject({ reason: 'hit', tier: 'memory', age: 5_000 })
  })

  it('an error that is undefined or null is still one: nothing is handed out in its place', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const users = tide.resource({
      name: 'users',
      // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error, typescript/prefer-promise-reject-errors
      load: async (key: string): Promise<string> => Promise.reject(key === 'null' ? null : undefined),
      freshness: ttl('1h'),
    })
    for (const key of ['null', 'undefined']) {
      const outcome = await users.get(key).then(
        () => 'resolved',
        () => 'rejected',
      )
      expect(outcome).toBe('rejected')
    }
  })
})

describe('soft and hard deadline', () => {
  const open = (timeout: { soft?: Duration; hard?: Duration }, more: { staleIfError?: Duration } = {}) => {
    const { tide, clock } = subject({ tiers: [memory()], clock: new FakeClock() })
    const answers: PromiseWithResolvers<string>[] = []
    const users = tide.resource({
      name: 'users',
      load: (_key: string) => {
        answers.push(deferred<string>())
        return (answers.at(-1) as PromiseWithResolvers<string>).promise
      },
      freshness: ttl('10s'),
      ...more,
      timeout,
    })
    return { users, clock, answers }
  }

  it('without a stale value the soft one means nothing: the reader waits', async () => {
    const { users, clock, answers } = open({ soft: '100ms', hard: '1s' })
    const reading = users.read('a')
    await settled()
    await clock.advance('500ms')
    answers[0]?.resolve('late, but there')
    expect(await reading).toMatchObject({ value: 'late, but there', reason: 'loaded' })
  })

  it('a stale value that may no longer be handed out is not, however slow the source', async () => {
    const { users, clock, answers } = open({ soft: '100ms' }, { staleIfError: '1m' })
    await users.set('a', 'old')
    await clock.advance('70s')
    const reading = users.read('a')
    await settled()
    await clock.advance('500ms')
    answers[0]?.resolve('new')
    expect(await reading).toMatchObject({ value: 'new', reason: 'loaded' })
  })

  it('at the hard one a stale value takes the place of the error, and says so', async () => {
    const { users, clock } = open({ hard: '1s' }, { staleIfError: '1m' })
    await users.set('a', 'old')
    await clock.advance('10s')
    const reading = users.read('a')
    await settled()
    await clock.advance('1s')
    const { error, ...rest } = await reading
    expect(rest).toMatchObject({ value: 'old', state: 'stale', reason: 'source-unavailable' })
    expect(isTidemarkError(error, 'load-timeout')).toBe(true)
  })

  it('defaults to 30 s, and is never for Infinity', async () => {
    const standard = open({})
    const failed = standard.users.get('a').catch((error: unknown) => error)
    await settled()
    await standard.clock.advance(29_999)
    await settled()
    await standard.clock.advance(1)
    expect(isTidemarkError(await failed, 'load-timeout')).toBe(true)
    const patient = open({ hard: Number.POSITIVE_INFINITY })
    const reading = patient.users.get('a')
    await settled()
    await patient.clock.jump('7d')
    patient.answers[0]?.resolve('after a week')
    expect(await reading).toBe('after a week')
  })

  it('the error names the key and how long', async () => {
    const { users, clock } = open({ hard: '250ms' })
    const failed = users.get('unit 7').catch((error: unknown) => error)
    await settled()
    await clock.advance('250ms')
    expect(await failed).toMatchObject({
      message: 'Loading users unit 7 took longer than 250 ms.',
      data: { name: 'users', id: 'unit 7', hardMs: 250 },
    })
  })
})

describe('peek', () => {
  it('is fresh memory and nothing else: starts no load, counts nothing, asks no other tier', async () => {
    const path = join(folder, `${++files}.db`)
    const clock = new FakeClock()
    const below = chaos(sqlite({ path }))
    const { tide } = subject({ tiers: [memory(), below], clock })
    const load = vi.fn<(key: string) => string>((key) => key)
    const users = tide.resource({ name: 'users', load, freshness: ttl('10s'), staleWhileRevalidate: '1m' })
    expect(users.peek('a')).toBeUndefined()
    await users.get('a')
    below.calls.length = 0
    expect(users.peek('a')).toBe('a')
    const stats = await users.stats()
    await clock.advance('10s')
    expect(users.peek('a'), 'stale').toBeUndefined()
    expect(load).toHaveBeenCalledTimes(1)
    expect(below.calls.filter(({ operation }) => operation === 'get')).toEqual([])
    expect(await users.stats()).toEqual(stats)
  })

  it('without memory in front there is never anything', async () => {
    const { tide } = subject({ tiers: [sqlite({ path: ':memory:' })], clock: new FakeClock() })
    const users = tide.resource({ name: 'users', load: (key: string) => key, freshness: ttl('10s') })
    await users.get('a')
    expect(users.peek('a')).toBeUndefined()
  })
})

describe('refresh', () => {
  it('asks the source whatever is cached, stores what it says, and counts as a miss', async () => {
    const { tide } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
    let version = 0
    const users = tide.resource({ name: 'users', load: (_key: string) => ++version, freshness: ttl('1h') })
    expect(await users.get('a')).toBe(1)
    expect(await users.read('a', { refresh: true })).toMatchObject({ value: 2, reason: 'loaded', tier: 'source' })
    expect(await users.get('a')).toBe(2)
    expect(await users.get('a', { refresh: false })).toBe(2)
    expect((await users.explain('a')).tiers.map(({ state }) => state)).toEqual(['fresh', 'fresh'])
    expect(await users.stats()).toMatchObject({ misses: 2, hits: 2, loads: 2 })
  })

  it('shows the loader what is stored', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const seen: unknown[] = []
    const users = tide.resource<string, number>({
      name: 'users',
      load: (_key, { stale }) => {
        seen.push(stale)
        return seen.length
      },
      freshness: ttl('1h'),
    })
    await users.get('a')
    await users.get('a', { refresh: true })
    expect(seen).toEqual([undefined, 1])
  })

  it('the source fails: the error is told, never the old value; those who asked meanwhile get the next load', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const answers: PromiseWithResolvers<string>[] = []
    const users = tide.resource({
      name: 'users',
      load: (_key: string) => {
        answers.push(deferred<string>())
        return (answers.at(-1) as PromiseWithResolvers<string>).promise
      },
      freshness: ttl('1h'),
      staleIfError: '1h',
    })
    await users.set('a', 'old')
    const first = users.get('a', { refresh: true }).catch((error: unknown) => error)
    await settled()
    const others = [1, 2, 3].map(() => users.get('a', { refresh: true }))
    answers[0]?.reject(new Error('down'))
    expect(await first).toEqual(new Error('down'))
    expect(await users.get('a'), 'what was stored is still there').toBe('old')
    await settled()
    expect(answers).toHaveLength(2)
    answers[1]?.resolve('new')
    expect(await Promise.all(others)).toEqual(['new', 'new', 'new'])
    expect(await users.get('a')).toBe('new')
  })

  it('of different keys do not wait for each other', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const gate = deferred<string>()
    const users = tide.resource({
      name: 'users',
      load: (key: string) => (key === 'slow' ? gate.promise : key),
      freshness: ttl('1h'),
    })
    const slow = users.get('slow', { refresh: true })
    expect(await users.get('b', { refresh: true })).toBe('b')
    gate.resolve('slow')
    await slow
  })
})
