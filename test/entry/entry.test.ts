import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry, Identity, Selector } from 'tidemark'
import { FOREVER, WINDOW_MS_MAX, identityConflicts, mergeIdentity, selects, staleFrom } from '../../src/entry.ts'

const time = fc.integer({ min: 0, max: 4_000_000_000_000 })
const window = fc.oneof(fc.integer({ min: 0, max: 1e12 }), fc.constant(WINDOW_MS_MAX))

const entry: fc.Arbitrary<Entry> = fc
  .tuple(time, fc.oneof(fc.nat(1e12), fc.constant(FOREVER)), window, window, window)
  .map(([loadedAt, freshMs, stale, error, keep]) => {
    const freshUntil = Math.min(loadedAt + freshMs, FOREVER)
    return {
      key: { name: 'users', id: 'a' },
      value: 1,
      loadedAt,
      freshUntil,
      staleUntil: freshUntil + stale,
      errorUntil: freshUntil + error,
      keepUntil: freshUntil + keep,
    }
  })

const windows = (it: Entry): number[] => [it.staleUntil, it.errorUntil, it.keepUntil].map((end) => end - it.freshUntil)

describe('staleFrom', () => {
  it('moves the end of freshness there and keeps the length of every window, to the millisecond', () => {
    fc.assert(
      fc.property(entry, time, (it, at) => {
        fc.pre(at < it.freshUntil)
        const stale = staleFrom(it, at)
        expect(stale.freshUntil).toBe(at)
        expect(stale.staleAt).toBe(at)
        expect(windows(stale)).toEqual(windows(it))
        expect([stale.key, stale.value, stale.loadedAt]).toEqual([it.key, it.value, it.loadedAt])
      }),
    )
  })

  it('leaves one that was stale already as it is', () => {
    fc.assert(
      fc.property(entry, time, (it, at) => {
        fc.pre(at >= it.freshUntil)
        expect(staleFrom(it, at)).toBe(it)
      }),
    )
  })

  it('at the very moment its time is over there is nothing to mark', () => {
    const [it] = fc.sample(entry, 1) as [Entry]
    expect(staleFrom(it, it.freshUntil)).toBe(it)
    expect(staleFrom(it, it.freshUntil - 1).staleAt).toBe(it.freshUntil - 1)
  })

  it('done twice, the earlier one counts, whatever the order', () => {
    fc.assert(
      fc.property(entry, time, time, (it, one, two) => {
        const both = staleFrom(staleFrom(it, one), two)
        expect(both.freshUntil).toBe(Math.min(it.freshUntil, one, two))
        expect(windows(both)).toEqual(windows(it))
      }),
    )
  })

  it('the longest times there are add up exactly', () => {
    expect(Number.isSafeInteger(FOREVER + WINDOW_MS_MAX)).toBe(true)
    expect(Number.isNaN(new Date(FOREVER).getTime())).toBe(false)
  })
})

describe('identities', () => {
  const part = fc.constantFrom<string | number | null | undefined>('a', 'b', 1, 2, null, undefined)
  const identity: fc.Arbitrary<Identity> = fc.array(part, { maxLength: 4 })
  const known = (it: string | number | null | undefined): boolean => it !== undefined && it !== null

  it('conflict exactly when a part that both know differs', () => {
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        const differs = a.some((it, i) => known(it) && known(b[i]) && it !== b[i])
        expect(identityConflicts(a, b)).toBe(differs)
        expect(identityConflicts(b, a)).toBe(differs)
      }),
    )
  })

  it('none conflicts with anything; 1 and "1" do', () => {
    expect(identityConflicts(undefined, ['a'])).toBe(false)
    expect(identityConflicts(['a'], undefined)).toBe(false)
    expect(identityConflicts([1], ['1'])).toBe(true)
    expect(identityConflicts([''], ['a'])).toBe(true)
    expect(identityConflicts([0], [1])).toBe(true)
  })

  it('merging never unlearns a part, and the newer part wins', () => {
    fc.assert(
      fc.property(identity, identity, (older, newer) => {
        const merged = mergeIdentity(older, newer) as Identity
        for (let i = 0; i < Math.max(older.length, newer.length); i++) {
          if (known(newer[i])) expect(merged[i]).toBe(newer[i])
          else if (known(older[i])) expect(merged[i]).toBe(older[i])
          else expect(known(merged[i])).toBe(false)
        }
        expect(identityConflicts(newer, merged)).toBe(false)
      }),
    )
    expect(mergeIdentity(undefined, ['a'])).toEqual(['a'])
    expect(mergeIdentity(['a'], undefined)).toEqual(['a'])
  })
})

describe('selects', () => {
  const it1 = { key: { name: 'users', id: 'a' }, scope: 's', era: 'e', tags: ['t', 'u'] }
  const cases: readonly (readonly [Selector, boolean])[] = [
    [{ kind: 'key', key: { name: 'users', id: 'a' } }, true],
    [{ kind: 'key', key: { name: 'users', id: 'b' } }, false],
    [{ kind: 'key', key: { name: 'user', id: 'a' } }, false],
    [{ kind: 'scope', scope: 's' }, true],
    [{ kind: 'scope', scope: 's', name: 'users' }, true],
    [{ kind: 'scope', scope: 's', name: 'others' }, false],
    [{ kind: 'scope', scope: 'users' }, false],
    [{ kind: 'era', era: 'e', scope: 's' }, true],
    [{ kind: 'era', era: 'e', scope: 't' }, false],
    [{ kind: 'era', era: 'f', scope: 's' }, false],
    [{ kind: 'tag', tag: 'u' }, true],
    [{ kind: 'tag', tag: 's' }, false],
    [{ kind: 'name', name: 'users' }, true],
    [{ kind: 'name', name: 'user' }, false],
    [{ kind: 'all' }, true],
  ]

  it.for(cases)('%j: %s', ([selector, means]) => {
    expect(selects(selector, it1)).toBe(means)
  })

  it('an entry without groups lies in none', () => {
    const bare = { key: { name: 'users', id: 'a' } }
    for (const [selector] of cases.slice(3, 12)) expect(selects(selector, bare)).toBe(false)
  })
})
