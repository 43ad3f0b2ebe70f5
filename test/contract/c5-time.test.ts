// C5: time. Lifetimes are absolute, boundaries inclusive, windows anchored, and no stepping clock expires or revives.

import { describe, expect, it } from 'vitest'
import { isTidemarkError, memory, sliding, ttl, untilInvalidated, type Duration } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { systemClock } from '../../src/clock.ts'
import { eachStack, settled, subject } from './stacks.ts'

const DAY_MS = 86_400_000

eachStack(({ isPersistent, make, again }) => {
  it('inclusive-boundary: at freshUntil a value is stale, at errorUntil it is no fallback any more', async () => {
    const { tide, clock } = make()
    let down = false
    const users = tide.resource({
      name: 'users',
      load: async (_key: string) => {
        if (down) throw new Error('down')
        return 'v'
      },
      freshness: ttl('30s'),
      staleIfError: '1m',
    })
    await users.get('a')
    down = true
    await clock.advance('29999ms')
    expect((await users.read('a')).state).toBe('fresh')
    await clock.advance(1)
    expect((await users.read('a')).state).toBe('stale')
    await clock.advance('59999ms')
    expect((await users.read('a')).state).toBe('stale')
    await clock.advance(1)
    await expect(users.get('a')).rejects.toThrow('down')
  })

  it('swr-window-anchors: the windows start when the entry became stale, and are bounded, each by itself', async () => {
    const { tide, clock } = make()
    let loads = 0
    let down = false
    const users = tide.resource({
      name: 'users',
      load: async (_key: string) => {
        loads++
        if (down) throw new Error('down')
        return `v${loads}`
      },
      freshness: ttl('10m'),
      staleWhileRevalidate: '1m',
      staleIfError: '5m',
    })
    await users.get('a')
    down = true
    await clock.advance('10m')
    expect(await users.read('a')).toMatchObject({ reason: 'revalidating', value: 'v1' })
    await clock.advance('59999ms')
    expect(await users.read('a')).toMatchObject({ reason: 'revalidating' })
    await clock.advance(1)
    expect(await users.read('a')).toMatchObject({ reason: 'source-unavailable' })
    await clock.advance('239999ms')
    expect(await users.read('a')).toMatchObject({ reason: 'source-unavailable' })
    await clock.advance(1)
    await expect(users.get('a')).rejects.toThrow('down')
  })

  it('swr-window-anchors: by invalidation they start at the invalidation, however long the value was to be fresh', async () => {
    for (const freshness of [ttl('10d'), untilInvalidated()]) {
      const { tide, clock } = make()
      let down = false
      const users = tide.resource({
        name: 'users',
        load: async (_key: string) => {
          if (down) throw new Error('down')
          return 'v'
        },
        freshness,
        staleWhileRevalidate: '1m',
        staleIfError: '5m',
      })
      await users.get('a')
      down = true
      await clock.advance('1h')
      await users.invalidate('a')
      expect(await users.read('a')).toMatchObject({ reason: 'revalidating' })
      await settled()
      await clock.advance('1m')
      expect(await users.read('a')).toMatchObject({ reason: 'source-unavailable' })
      await clock.advance('4m')
      await expect(users.get('a')).rejects.toThrow('down')
      await tide.close()
    }
  })

  it('clock-steps: a persisted entry from the future is loaded anew, and is never immortal [proxies 39]', async () => {
    if (!isPersistent) return
    const options = (fail: () => boolean) =>
      ({
        name: 'users',
        load: async (_key: string) => {
          if (fail()) throw new Error('down')
          return 'now'
        },
        freshness: ttl('1h'),
        staleIfError: '1h',
      }) as const
    const first = make()
    await first.tide.resource(options(() => false)).set('a', 'future')
    await first.tide.close()
    let down = true
    // The same file, opened by a process whose clock was set back a day.
    const past = new FakeClock(first.clock.now() - DAY_MS)
    const { tide } = again({ clock: past })
    const users = tide.resource(options(() => down))
    expect(await users.read('a'), 'not trusted, but better than nothing').toMatchObject({
      value: 'future',
      state: 'stale',
    })
    down = false
    await past.advance('1m')
    expect(await users.read('a')).toMatchObject({ value: 'now', reason: 'loaded' })
    expect(await users.read('a')).toMatchObject({ value: 'now', reason: 'hit' })
  })

  it('clock-steps: a persisted entry from the past is as old as it is', async () => {
    if (!isPersistent) return
    const first = make()
    const options = { name: 'users', load: async (_key: string) => 'now', freshness: ttl('1h') } as const
    await first.tide.resource(options).set('a', 'past')
    await first.tide.close()
    const later = new FakeClock(first.clock.now() + DAY_MS)
    const { tide } = again({ clock: later })
    expect(await tide.resource(options).get('a')).toBe('now')
  })

  it('long-ttl: beyond 2^31 ms, Infinity and 0 are right', async () => {
    const { tide, clock } = make()
    const make1 = (name: string, duration: Duration) =>
      tide.resource({
        name,
        load: async (_key: string) => name,
        freshness: ttl(duration),
        staleIfError: Number.POSITIVE_INFINITY,
      })
    const long = make1('long', 2 ** 31 + 5_000)
    const forever = make1('forever', Number.POSITIVE_INFINITY)
    const never = make1('never', 0)
    for (const resource of [long, forever, never]) await resource.get('a')
    expect((await never.read('a')).reason).toBe('loaded')
    await clock.jump(2 ** 31)
    expect((await long.read('a')).reason).toBe('hit')
    await clock.advance(5_000)
    expect((await long.read('a')).reason).toBe('loaded')
    await clock.jump(400 * DAY_MS)
    expect((await forever.read('a')).reason).toBe('hit')
  })

  it('sliding: stays fresh while it is read, at most for its longest time, and goes stale when it is not', async () => {
    const { tide, clock } = make()
    let loads = 0
    const sessions = tide.resource({
      name: 'sessions',
      load: async (_key: string) => ++loads,
      freshness: sliding('10m', { max: '1h' }),
    })
    await sessions.get('a')
    for (let i = 0; i < 6; i++) {
      await clock.advance('9m')
      expect(await sessions.get('a')).toBe(1)
      await settled()
    }
    await clock.advance('6m')
    expect(await sessions.get('a'), 'an hour after the load').toBe(2)
    await clock.advance('10m')
    expect(await sessions.get('a')).toBe(3)
  })

  it('sliding: an entry in use survives a restart', async () => {
    if (!isPersistent) return
    const options = { name: 'sessions', load: async (_key: string) => 'again', freshness: sliding('10m') } as const
    const first = make()
    const sessions = first.tide.resource(options)
    await sessions.set('a', 'session')
    for (let i = 0; i < 3; i++) {
      await first.clock.advance('9m')
      expect(await sessions.get('a')).toBe('session')
      await settled()
    }
    await first.tide.close()
    const second = again()
    await second.clock.advance('5m')
    expect(await second.tide.resource(options).get('a')).toBe('session')
  })
})

describe('long-ttl', () => {
  it('refuses negative times, NaN and what is no duration, naming the option', () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    for (const wrong of [-1, Number.NaN, '5', 'm', '5 minutes', '-1s', null, {}] as unknown as Duration[]) {
      for (const [option, act] of [
        ['ttl', () => ttl(wrong)],
        ['staleIfError', () => tide.resource({ name: 'x', load: () => 1, freshness: ttl(1), staleIfError: wrong })],
        [
          'resource.timeout.hard',
          () => tide.resource({ name: 'x', load: () => 1, freshness: ttl(1), timeout: { hard: wrong } }),
        ],
      ] as const) {
        const error = caught(act)
        expect(isTidemarkError(error, 'invalid-duration'), `${option} ${String(wrong)}`).toBe(true)
        expect((error as Error).message).toContain(`\`${option}\``)
      }
    }
  })

  it('a ttl of the value is checked when it is known', async () => {
    const { tide, clock } = subject({ tiers: [memory()], clock: new FakeClock() })
    const tokens = tide.resource({
      name: 'tokens',
      load: async (key: string) => ({ expiresInS: Number(key) }),
      freshness: ttl((token: { expiresInS: number }) => token.expiresInS * 1000),
    })
    await tokens.get('5')
    await clock.advance('4999ms')
    expect((await tokens.read('5')).reason).toBe('hit')
    await clock.advance(1)
    expect((await tokens.read('5')).reason).toBe('loaded')
    expect(isTidemarkError(await tokens.get('-1').catch((it: unknown) => it), 'invalid-duration')).toBe(true)
  })

  it('jitter shortens by up to its share, never lengthens', async () => {
    const policy = ttl('100s', { jitter: 0.2 })
    const all = Array.from({ length: 500 }, () => policy.freshMs('v'))
    expect(Math.max(...all)).toBeLessThanOrEqual(100_000)
    expect(Math.min(...all)).toBeGreaterThanOrEqual(80_000)
    expect(new Set(all).size).toBeGreaterThan(100)
  })
})

describe('clock-steps', () => {
  it('within a process time follows a monotonic clock, whatever the wall clock does [proxies 39]', async () => {
    const real = Date.now
    const before = systemClock.now()
    try {
      for (const stepMs of [-DAY_MS, DAY_MS]) {
        Date.now = () => real() + stepMs
        expect(Math.abs(systemClock.now() - before)).toBeLessThan(10_000)
        expect(Math.abs(systemClock.coarse() - before)).toBeLessThan(10_000)
      }
    } finally {
      Date.now = real
    }
  })

  it('the coarse clock follows the exact one, and is never ahead', async () => {
    for (let i = 0; i < 20_000; i++) {
      const coarse = systemClock.coarse()
      expect(coarse).toBeLessThanOrEqual(systemClock.now())
    }
    await expect.poll(() => systemClock.now() - systemClock.coarse(), { interval: 5 }).toBeLessThanOrEqual(1)
  })
})

function caught(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}
