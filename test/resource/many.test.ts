import { describe, expect, it, vi } from 'vitest'
import { isTidemarkError, memory, sqlite, ttl, untilInvalidated, type EntryInfo, type Tier } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { settled, subject } from '../contract/stacks.ts'

describe('getMany', () => {
  it('answers in the order of the keys, loading at the same time what is missing, each key once', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    let running = 0
    let most = 0
    const load = vi.fn<(key: number) => Promise<number>>(async (key) => {
      most = Math.max(most, ++running)
      await settled()
      running--
      return key * 10
    })
    const users = tide.resource({ name: 'users', load, freshness: ttl('1h') })
    await users.get(2)
    expect(await users.getMany([3, 1, 2, 3])).toEqual([30, 10, 20, 30])
    expect(load).toHaveBeenCalledTimes(3)
    expect(most).toBe(2)
    expect(await users.getMany([])).toEqual([])
  })

  it('one that fails fails the whole with its error; what the others loaded is stored', async () => {
    const { tide } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
    const users = tide.resource({
      name: 'users',
      load: async (key: string) => {
        if (key.startsWith('bad')) throw new Error(`no ${key}`)
        return key
      },
      freshness: ttl('1h'),
    })
    await expect(users.getMany(['a', 'bad 1', 'b', 'bad 2'])).rejects.toThrow('no bad 1')
    await settled()
    expect([await users.stored('a'), await users.stored('b'), await users.stored('bad 1')]).toEqual([
      'a',
      'b',
      undefined,
    ])
    expect(await users.stats()).toMatchObject({ requests: 4, misses: 4, loads: 4, loadFailures: 2 })
  })
})

describe('entries', () => {
  const STACKS: readonly (readonly [string, () => Tier[]])[] = [
    ['memory', () => [memory()]],
    ['sqlite', () => [sqlite({ path: ':memory:' })]],
    ['memory + sqlite', () => [memory({ maxEntries: 300 }), sqlite({ path: ':memory:' })]],
  ]

  it.for(STACKS)('%s: lists everything once, however many pages that takes', async ([, tiers]) => {
    const { tide } = subject({ tiers: tiers(), clock: new FakeClock() })
    const users = tide.resource({
      name: 'users',
      load: (key: number) => key,
      scope: (key) => `s${key % 3}`,
      freshness: ttl('1h'),
    })
    const others = tide.resource({
      name: 'users2',
      load: (key: number) => key,
      scope: () => 's0',
      freshness: ttl('1h'),
    })
    await Promise.all(Array.from({ length: 1_300 }, (_, i) => users.set(i, i)))
    await others.set(1, 1)
    const keys = async (filter?: { scope?: string }): Promise<number[]> => {
      const listed: number[] = []
      for await (const { key } of users.entries(filter)) listed.push((key as [number])[0])
      return listed.toSorted((a, b) => a - b)
    }
    expect(await keys()).toEqual(Array.from({ length: 1_300 }, (_, i) => i))
    expect(await keys({ scope: 's1' })).toEqual(Array.from({ length: 433 }, (_, i) => i * 3 + 1))
    expect(await keys({ scope: 'none' })).toEqual([])
  })

  it('say everything but the value', async () => {
    const { tide, clock } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
    const users = tide.resource<readonly [string, number], { secret: string }>({
      name: 'users',
      load: () => ({ secret: 'password' }),
      scope: ([unit]) => unit,
      tags: ([, index]) => [`i${index}`],
      freshness: ttl('10s'),
      staleIfError: '1m',
    })
    await users.get(['unit', 3])
    const loadedAt = clock.now()
    await clock.advance('15s')
    const listed: EntryInfo[] = []
    for await (const entry of users.entries()) listed.push(entry)
    expect(listed).toMatchObject([
      {
        name: 'users',
        key: ['unit', 3],
        state: 'fallback',
        tier: 'memory',
        age: 15_000,
        loadedAt,
        freshUntil: loadedAt + 10_000,
        scope: 'unit',
        tags: ['i3'],
      },
    ])
    expect(JSON.stringify(listed)).not.toContain('password')
  })

  it('a walk that is broken off leaves nothing running; changes in its course do no harm', async () => {
    const { tide } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
    const users = tide.resource({ name: 'users', load: (key: number) => key, freshness: ttl('1h') })
    await Promise.all(Array.from({ length: 1_200 }, (_, i) => users.set(i, i)))
    let seen = 0
    for await (const entry of users.entries()) {
      expect(entry.name).toBe('users')
      if (++seen === 10) break
    }
    const listed = new Set<number>()
    for await (const { key } of users.entries()) {
      const [id] = key as [number]
      expect(listed.has(id)).toBe(false)
      listed.add(id)
      if (listed.size % 100 === 0) await users.delete(id)
      if (listed.size === 150) await users.set(5_000, 1)
    }
    expect(listed.size).toBeGreaterThanOrEqual(1_200)
  })
})

describe('tags that depend on the value', () => {
  it('move with the value; an entry is under the tags of its last value only', async () => {
    for (const tiers of [[memory()], [memory(), sqlite({ path: ':memory:' })], [sqlite({ path: ':memory:' })]]) {
      const { tide } = subject({ tiers, clock: new FakeClock() })
      const users = tide.resource<string, string>({
        name: 'users',
        load: () => 'red',
        tags: (key, team) => (team === '' ? [] : [`team:${team}`, `user:${key}`]),
        freshness: untilInvalidated(),
      })
      await users.get('a')
      expect(await tide.invalidateTag('team:blue')).toBe(0)
      await users.set('a', 'blue')
      expect(await tide.deleteTag('team:red')).toBe(0)
      expect(await users.stored('a')).toBe('blue')
      expect(await tide.invalidateTag('team:blue')).toBe(1)
      expect(await users.stored('a')).toBeUndefined()
      await users.set('a', '')
      expect(await tide.deleteTag('user:a')).toBe(0)
      expect(await users.stored('a')).toBe('')
      await tide.close()
    }
  })
})

describe('set', () => {
  it('is there at once in every tier, and counted', async () => {
    const { tide } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
    const load = vi.fn<(key: string) => string | null>(() => 'loaded')
    const users = tide.resource({ name: 'users', load, freshness: ttl('1h') })
    const pending = users.set('a', 'set')
    expect(await users.get('a'), 'also before it is acknowledged').toBe('set')
    await pending
    expect((await users.explain('a')).tiers.map(({ state }) => state)).toEqual(['fresh', 'fresh'])
    await users.set('a', null)
    expect(await users.read('a')).toMatchObject({ value: null, reason: 'hit' })
    expect(load).not.toHaveBeenCalled()
    expect(await users.stats()).toMatchObject({ sets: 2, hits: 2, misses: 0 })
  })

  it('with a moment that is no whole millisecond is as good as any', async () => {
    const { tide, clock } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
    const users = tide.resource({ name: 'users', load: (key: string) => key, freshness: ttl('1h') })
    await users.set('a', 'set', { loadedAt: clock.now() - 0.5 })
    expect(await users.stored('a')).toBe('set')
    expect((await users.explain('a')).tiers.map(({ state }) => state)).toEqual(['fresh', 'fresh'])
    expect((await tide.tiers())[1]).toMatchObject({ state: 'up', failures: { writes: 0 } })
  })

  it('ends the time a failing source is left alone', async () => {
    const { tide, clock } = subject({ tiers: [memory()], clock: new FakeClock() })
    let down = true
    const users = tide.resource({
      name: 'users',
      load: async (_key: string) => {
        if (down) throw new Error('down')
        return 'loaded'
      },
      freshness: ttl('1s'),
      staleIfError: '1h',
    })
    await users.set('a', 'old')
    await clock.advance('1s')
    expect((await users.read('a')).reason).toBe('source-unavailable')
    expect((await users.explain('a')).lastFailure).toBeDefined()
    await users.set('a', 'set')
    expect((await users.explain('a')).lastFailure).toBeUndefined()
    down = false
    await clock.advance('1s')
    expect(await users.get('a')).toBe('loaded')
  })
})

it('what is no option, or no fit value, is refused by name when the resource is made', () => {
  const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
  const good = { name: 'users', load: () => 1, freshness: ttl('1s') }
  const codeOf = (options: object): string => {
    try {
      tide.resource(options as never)
      return 'none'
    } catch (error) {
      return isTidemarkError(error) ? `${error.code} ${String(error.data['option'])}` : String(error)
    }
  }
  const cases: readonly (readonly [object, string])[] = [
    [{ ...good, ttl: '5s' }, 'unknown-option ttl'],
    [{ ...good, name: 5 }, 'invalid-option resource.name'],
    [{ ...good, name: 'a#b' }, 'invalid-option resource.name'],
    [{ ...good, name: 'a\0b' }, 'invalid-option resource.name'],
    [{ ...good, name: '\ud800' }, 'invalid-option resource.name'],
    [{ ...good, key: 'id' }, 'invalid-option resource.key'],
    [{ ...good, scope: 's' }, 'invalid-option resource.scope'],
    [{ ...good, tags: ['t'] }, 'invalid-option resource.tags'],
    [{ ...good, load: 'http://x' }, 'invalid-option resource.load'],
    [{ ...good, freshness: '30s' }, 'invalid-option resource.freshness'],
    [{ ...good, freshness: null }, 'invalid-option resource.freshness'],
    [{ ...good, era: tide.era('e') }, 'invalid-option resource.scope'],
    [{ ...good, era: 'e', scope: () => 's' }, 'invalid-option resource.era'],
    [{ ...good, staleIfError: 'soon' }, 'invalid-duration staleIfError'],
    [{ ...good, staleWhileRevalidate: -1 }, 'invalid-duration staleWhileRevalidate'],
    [{ ...good, keep: {} }, 'invalid-duration keep'],
    [{ ...good, timeout: 5_000 }, 'invalid-option resource.timeout'],
    [{ ...good, timeout: { hart: '1s' } }, 'unknown-option hart'],
    [{ ...good, timeout: { soft: 'x' } }, 'invalid-duration resource.timeout.soft'],
  ]
  for (const [options, told] of cases) expect(codeOf(options)).toBe(told)
  expect(codeOf(good), 'a refused one takes no name').toBe('none')
  expect(codeOf(good)).toBe('name-taken undefined')
})
