import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { immutable, isTidemarkError, sliding, ttl, untilInvalidated, type Duration, type Policy } from 'tidemark'
import { FOREVER, WINDOW_MS_MAX } from '../../src/entry.ts'
import { lifetimes, resolveWindows } from '../../src/policy/policy.ts'

const codeOf = (act: () => unknown): unknown => {
  try {
    act()
    return undefined
  } catch (error) {
    return isTidemarkError(error) ? error.code : error
  }
}

describe('ttl', () => {
  it('is the same for every value', () => {
    expect(ttl('30s').freshMs('any')).toBe(30_000)
    expect(ttl(1_500).freshMs(undefined)).toBe(1_500)
    expect(ttl(0).freshMs('any')).toBe(0)
    expect(ttl('30s').kind).toBe('ttl')
  })

  it('whole milliseconds, and never more than for ever', () => {
    expect(ttl('1.0005s').freshMs('v')).toBe(1_000)
    expect(ttl(Number.POSITIVE_INFINITY).freshMs('v')).toBe(FOREVER)
    expect(ttl('999999999999w').freshMs('v')).toBe(FOREVER)
  })

  it('of each value', () => {
    const policy = ttl((token: { expiresInS: number }) => token.expiresInS * 1_000)
    expect(policy.freshMs({ expiresInS: 5 })).toBe(5_000)
    expect(policy.freshMs({ expiresInS: 0 })).toBe(0)
    expect(ttl((it: string) => it as '5m').freshMs('5m')).toBe(300_000)
    expect(codeOf(() => policy.freshMs({ expiresInS: -1 }))).toBe('invalid-duration')
    expect(codeOf(() => policy.freshMs({ expiresInS: Number.NaN }))).toBe('invalid-duration')
  })

  it('jitter shortens by up to its share, and never lengthens', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1e9), (jitter, ms) => {
        for (const policy of [ttl(ms, { jitter }), ttl(() => ms, { jitter })]) {
          const fresh = policy.freshMs('v')
          expect(Number.isInteger(fresh)).toBe(true)
          expect(fresh).toBeLessThanOrEqual(ms)
          expect(fresh).toBeGreaterThanOrEqual(Math.floor(ms * (1 - jitter)))
        }
      }),
    )
    expect(new Set(Array.from({ length: 50 }, () => ttl('1h').freshMs('v'))), 'no jitter unless asked for').toEqual(
      new Set([3_600_000]),
    )
  })

  it.for([-0.1, 1.1, Number.NaN, '0.1'])('jitter %s is refused', (jitter) => {
    expect(codeOf(() => ttl('1s', { jitter: jitter as number }))).toBe('invalid-option')
  })
})

describe('sliding', () => {
  it('says how long without a read, and how long at most', () => {
    expect(sliding('10m', { max: '1h' })).toMatchObject({
      kind: 'sliding',
      slide: { idleMs: 600_000, maxMs: 3_600_000 },
    })
    expect(sliding('10m').slide).toEqual({ idleMs: 600_000, maxMs: FOREVER })
  })

  it('starts with the shorter of the two', () => {
    expect(sliding('10m', { max: '1h' }).freshMs('v')).toBe(600_000)
    expect(sliding('1h', { max: '10m' }).freshMs('v')).toBe(600_000)
  })
})

describe('untilInvalidated and immutable', () => {
  it.for([untilInvalidated(), immutable(), immutable({ identity: () => ['a'] })])(
    '%j is fresh for ever',
    (policy: Policy) => {
      expect(policy.freshMs('v')).toBe(FOREVER)
    },
  )

  it('immutable takes the identity from the value', () => {
    const policy = immutable({ identity: (w: { key: string }) => [w.key] })
    expect(policy.identity?.({ key: 'k' })).toEqual(['k'])
    expect('identity' in immutable()).toBe(false)
    expect(codeOf(() => immutable({ identity: ['key'] as never }))).toBe('invalid-option')
  })
})

it.for([
  ['ttl', () => ttl('1s', { jiter: 0.1 } as never), 'unknown-option'],
  ['sliding', () => sliding('1s', { maximum: '1h' } as never), 'unknown-option'],
  ['immutable', () => immutable({ stamp: () => [] } as never), 'unknown-option'],
  ['ttl', () => ttl('1s', 0.1 as never), 'invalid-option'],
  ['sliding', () => sliding('1s', '1h' as never), 'invalid-option'],
  ['immutable', () => immutable((() => []) as never), 'invalid-option'],
  ['ttl', () => ttl('1 s'), 'invalid-duration'],
  ['sliding', () => sliding('' as Duration), 'invalid-duration'],
  ['sliding.max', () => sliding('1s', { max: -1 }), 'invalid-duration'],
] as const)('%s refuses what it does not know (%#)', ([name, act, code]) => {
  expect(codeOf(act)).toBe(code)
  expect(act).toThrow(name)
})

describe('windows', () => {
  it('default to none; keep is at least the longer of the two', () => {
    expect(resolveWindows({})).toEqual({ staleMs: 0, errorMs: 0, keepMs: 0 })
    expect(resolveWindows({ staleWhileRevalidate: '2m', staleIfError: '1h' })).toEqual({
      staleMs: 120_000,
      errorMs: 3_600_000,
      keepMs: 3_600_000,
    })
    expect(resolveWindows({ staleWhileRevalidate: '2m', keep: '1s' })).toEqual({
      staleMs: 120_000,
      errorMs: 0,
      keepMs: 120_000,
    })
    expect(resolveWindows({ keep: '1d' })).toEqual({ staleMs: 0, errorMs: 0, keepMs: 86_400_000 })
    expect(resolveWindows({ staleIfError: Number.POSITIVE_INFINITY }).errorMs).toBe(WINDOW_MS_MAX)
  })

  it.for(['staleWhileRevalidate', 'staleIfError', 'keep'] as const)('a bad %s is named', (option) => {
    expect(() => resolveWindows({ [option]: 'soon' as never })).toThrow(`\`${option}\``)
  })

  it('all times are whole, in order and exact, however long', () => {
    const ms = fc.oneof(fc.nat(1e12), fc.constant(Number.POSITIVE_INFINITY))
    fc.assert(
      fc.property(fc.nat(4e12), ms, ms, ms, ms, (loadedAt, fresh, staleWhileRevalidate, staleIfError, keep) => {
        const windows = resolveWindows({ staleWhileRevalidate, staleIfError, keep })
        const { freshUntil, staleUntil, errorUntil, keepUntil } = lifetimes(loadedAt, ttl(fresh).freshMs('v'), windows)
        expect([freshUntil, staleUntil, errorUntil, keepUntil].every(Number.isSafeInteger)).toBe(true)
        expect(freshUntil).toBe(Math.min(loadedAt + fresh, FOREVER))
        expect(staleUntil - freshUntil).toBe(Math.min(staleWhileRevalidate, WINDOW_MS_MAX))
        expect(errorUntil - freshUntil).toBe(Math.min(staleIfError, WINDOW_MS_MAX))
        expect(keepUntil).toBeGreaterThanOrEqual(Math.max(staleUntil, errorUntil))
      }),
    )
  })
})
