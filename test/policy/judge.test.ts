import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { staleFrom } from '../../src/entry.ts'
import { CLOCK_SKEW_MS_MAX, judge, type Judged } from '../../src/policy/judge.ts'

const NOW = 1_900_000_000_000
const entry = (more: Partial<Judged> = {}): Judged => ({
  loadedAt: NOW,
  freshUntil: NOW + 100,
  staleUntil: NOW + 200,
  errorUntil: NOW + 300,
  keepUntil: NOW + 400,
  ...more,
})

describe('the four lifetimes', () => {
  it.for([
    [0, 'fresh'],
    [99, 'fresh'],
    [100, 'stale'],
    [199, 'stale'],
    [200, 'fallback'],
    [299, 'fallback'],
    [300, 'expired'],
    [400, 'expired'],
    [1e9, 'expired'],
  ] as const)('inclusive-boundary: after %d ms it is %s [proxies 31]', ([ms, verdict]) => {
    expect(judge(entry(), NOW + ms)).toBe(verdict)
  })

  it('the two windows are independent: either may be the longer one, or missing', () => {
    expect(judge(entry({ staleUntil: NOW + 100 }), NOW + 150)).toBe('fallback')
    expect(judge(entry({ errorUntil: NOW + 100 }), NOW + 150)).toBe('stale')
    expect(judge(entry({ errorUntil: NOW + 100 }), NOW + 250)).toBe('expired')
    expect(judge(entry({ freshUntil: NOW, staleUntil: NOW, errorUntil: NOW }), NOW)).toBe('expired')
  })

  it('is a function of the times alone: it only ever gets worse', () => {
    const order = ['fresh', 'stale', 'fallback', 'expired']
    const ms = fc.nat(1_000)
    fc.assert(
      fc.property(ms, ms, ms, ms, ms, (fresh, stale, error, one, two) => {
        const it = entry({ freshUntil: NOW + fresh, staleUntil: NOW + fresh + stale, errorUntil: NOW + fresh + error })
        const [early, late] = [Math.min(one, two), Math.max(one, two)]
        expect(order.indexOf(judge(it, NOW + early))).toBeLessThanOrEqual(order.indexOf(judge(it, NOW + late)))
      }),
    )
  })
})

describe('clocks that differ', () => {
  it('an entry a little ahead is trusted, one further ahead is only good for a failing source', () => {
    const ahead = (ms: number): Judged =>
      entry({ loadedAt: NOW + ms, freshUntil: NOW + 1e6, staleUntil: NOW + 2e6, errorUntil: NOW + 3e6 })
    expect(judge(ahead(CLOCK_SKEW_MS_MAX), NOW)).toBe('fresh')
    expect(judge(ahead(CLOCK_SKEW_MS_MAX + 1), NOW)).toBe('fallback')
    expect(judge({ ...ahead(CLOCK_SKEW_MS_MAX + 1), errorUntil: NOW }, NOW)).toBe('expired')
  })

  it('invalidated by a process whose clock is ahead, it is stale here at once', () => {
    const it = { ...entry(), key: { name: 'n', id: 'a' }, value: 1 }
    const invalidated = staleFrom(it, NOW + 50)
    expect(judge(invalidated, NOW)).toBe('stale')
    expect(judge(staleFrom({ ...it, staleUntil: it.freshUntil, errorUntil: it.freshUntil }, NOW + 50), NOW)).toBe(
      'expired',
    )
  })

  it('its windows are those of the invalidation, to the millisecond', () => {
    const invalidated = staleFrom({ ...entry(), key: { name: 'n', id: 'a' }, value: 1 }, NOW + 10)
    expect(judge(invalidated, NOW + 10 + 99)).toBe('stale')
    expect(judge(invalidated, NOW + 10 + 100)).toBe('fallback')
    expect(judge(invalidated, NOW + 10 + 199)).toBe('fallback')
    expect(judge(invalidated, NOW + 10 + 200)).toBe('expired')
  })
})
