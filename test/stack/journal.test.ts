import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry, Key, Selector } from 'tidemark'
import { selects, staleFrom } from '../../src/entry.ts'
import { Journal, type Change } from '../../src/stack/journal.ts'

const NOW = 1_900_000_000_000
const LIMITS = { maxItems: 1_000, maxBytes: 1e9 }
const keyOf = (id: string): Key => ({ name: 'users', id })
const entryOf = (id: string, value: unknown, more: Partial<Entry> = {}): Entry => ({
  key: keyOf(id),
  value,
  loadedAt: NOW,
  freshUntil: NOW + 1_000,
  staleUntil: NOW + 2_000,
  errorUntil: NOW + 3_000,
  keepUntil: NOW + 4_000,
  ...more,
})

/** A tier as simple as can be. */
class Shelf {
  readonly entries: Map<string, Entry>

  constructor(entries: Iterable<Entry>) {
    this.entries = new Map(Array.from(entries, (it) => [it.key.id, it]))
  }

  apply(change: Change): void {
    if (change.kind === 'put') return void this.entries.set(change.entry.key.id, change.entry)
    for (const entry of [...this.entries.values()].filter((it) => selects(change.selector, it))) {
      if (change.staleAt === undefined) this.entries.delete(entry.key.id)
      else this.entries.set(entry.key.id, staleFrom(entry, change.staleAt))
    }
  }
}

const IDS = ['a', 'b', 'c'] as const
const id = fc.constantFrom(...IDS)
const member = fc.record({
  scope: fc.constantFrom(undefined, 's', 't'),
  era: fc.constantFrom(undefined, 'e'),
  tags: fc.constantFrom(undefined, ['x'], ['x', 'y']),
})
const selector: fc.Arbitrary<Selector> = fc.oneof(
  { weight: 4, arbitrary: id.map((it) => ({ kind: 'key' as const, key: keyOf(it) })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Selector>(
      { kind: 'scope', scope: 's' },
      { kind: 'tag', tag: 'x' },
      { kind: 'era', era: 'e', scope: 's' },
      { kind: 'name', name: 'users' },
      { kind: 'all' },
    ),
  },
)
const change: fc.Arbitrary<Change> = fc.oneof(
  fc
    .record({ id, value: fc.nat(), member })
    .map(({ id, value, member }) => ({ kind: 'put' as const, entry: entryOf(id, value, member) })),
  selector.map((it) => ({ kind: 'remove' as const, selector: it })),
  fc
    .record({ it: selector, at: fc.integer({ min: NOW, max: NOW + 900 }) })
    .map(({ it, at }) => ({ kind: 'remove' as const, selector: it, staleAt: at })),
)
const before = fc
  .array(fc.record({ id, member }), { maxLength: 3 })
  .map((all) => all.map((it) => entryOf(it.id, `old ${it.id}`, it.member)))

describe('what a tier missed', () => {
  it('corrects every answer of the tier to what it would be had it missed nothing, before and while it is replayed', () => {
    fc.assert(
      fc.property(
        before,
        fc.array(change, { maxLength: 12 }),
        fc.nat(12),
        fc.array(change, { maxLength: 3 }),
        (old, missed, replayed, late) => {
          const [tier, truth] = [new Shelf(old), new Shelf(old)]
          const journal = new Journal(LIMITS)
          const same = (when: string): void => {
            for (const it of IDS)
              expect(journal.correct(keyOf(it), tier.entries.get(it)), `${it} ${when}`).toEqual(truth.entries.get(it))
          }
          const miss = (changes: readonly Change[]): void => {
            for (const it of changes) {
              journal.record(it)
              truth.apply(it)
            }
          }
          const replay = (most: number): void => {
            for (let n = 0; n < most; n++) {
              const next = journal.next()
              if (!next) return
              tier.apply(next)
              journal.done(next)
            }
          }
          miss(missed)
          same('while it is down')
          replay(replayed)
          same('in the middle of the replay')
          miss(late)
          same('when more was missed meanwhile')
          replay(Number.POSITIVE_INFINITY)
          expect(journal.isEmpty).toBe(true)
          expect(journal.bytes).toBe(0)
          same('afterwards')
          expect(Object.fromEntries(tier.entries)).toEqual(Object.fromEntries(truth.entries))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('a deleted value does not come back because it was invalidated afterwards', () => {
    const journal = new Journal(LIMITS)
    journal.record({ kind: 'remove', selector: { kind: 'key', key: keyOf('a') } })
    journal.record({ kind: 'remove', selector: { kind: 'key', key: keyOf('a') }, staleAt: NOW })
    expect(journal.correct(keyOf('a'), entryOf('a', 'deleted'))).toBeUndefined()
  })

  it('a value that was set is not lost because it was invalidated afterwards', () => {
    const journal = new Journal(LIMITS)
    journal.record({ kind: 'put', entry: entryOf('a', 'new') })
    journal.record({ kind: 'remove', selector: { kind: 'key', key: keyOf('a') }, staleAt: NOW + 5 })
    expect(journal.correct(keyOf('a'), entryOf('a', 'old'))).toMatchObject({ value: 'new', staleAt: NOW + 5 })
  })
})

describe('bounds', () => {
  it('the last change of a key is the only one that is kept', () => {
    const journal = new Journal({ maxItems: 3, maxBytes: 1e9 })
    for (let i = 0; i < 100; i++) journal.record({ kind: 'put', entry: entryOf('a', i) })
    expect([journal.items, journal.isOverflowed]).toEqual([1, false])
    expect(journal.correct(keyOf('a'), undefined)?.value).toBe(99)
  })

  it.for([
    [{ maxItems: 10, maxBytes: 1e9 }, 11],
    [{ maxItems: 1e9, maxBytes: 10_000 }, 11],
  ] as const)('beyond %j one fact is left: everything in the tier is void', ([limits, puts]) => {
    const journal = new Journal(limits)
    for (let i = 0; i < puts; i++) journal.record({ kind: 'put', entry: { ...entryOf(`k${i}`, i), bytes: 1_000 } })
    expect(journal.isOverflowed).toBe(true)
    expect(journal.isEmpty).toBe(false)
    expect([journal.items, journal.bytes]).toEqual([0, 0])
    expect(journal.correct(keyOf('k1'), entryOf('k1', 'old'))).toBeUndefined()
    journal.record({ kind: 'put', entry: entryOf('later', 1) })
    expect(journal.items).toBe(0)
    const next = journal.next() as Change
    expect(next).toEqual({ kind: 'remove', selector: { kind: 'all' } })
    journal.done(next)
    expect(journal.isEmpty).toBe(true)
    expect(journal.correct(keyOf('k1'), entryOf('k1', 'new'))?.value).toBe('new')
  })

  it('a later change that reached the tier settles the missed one', () => {
    const journal = new Journal(LIMITS)
    journal.record({ kind: 'put', entry: entryOf('a', 'missed') })
    journal.settle(keyOf('a'), journal.missedOf(keyOf('a')))
    expect(journal.isEmpty).toBe(true)
    expect(journal.bytes).toBe(0)
  })

  it('a change recorded while its predecessor is replayed is not lost', () => {
    const journal = new Journal(LIMITS)
    journal.record({ kind: 'put', entry: entryOf('a', 1) })
    const first = journal.next() as Change
    journal.record({ kind: 'put', entry: entryOf('a', 2) })
    journal.done(first)
    expect(journal.next()).toMatchObject({ kind: 'put', entry: { value: 2 } })
  })
})
