// Every tier, and a stack of tiers, holds what a plain map of entries would hold, whatever is done to it in whatever order.

import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  jsonl,
  memory,
  sqlite,
  type Entry,
  type Key,
  type KeyInfo,
  type Lease,
  type Selector,
  type Tier,
} from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { selects, staleFrom } from '../../src/entry.ts'
import { Stack } from '../../src/stack/stack.ts'
import { testFolder } from '../folder.ts'

/** Entries by key, and every change there was: what a lease is checked against without slots. */
class Model {
  readonly entries = new Map<string, Entry>()
  readonly changes: Selector[] = []

  live(selector: Selector, now: number): Entry[] {
    return [...this.entries.values()].filter((it) => now < it.keepUntil && selects(selector, it))
  }

  put(entry: Entry): void {
    this.entries.set(idOf(entry.key), entry)
  }

  remove(selector: Selector, staleAt: number | undefined, now: number): number {
    this.changes.push(selector)
    const concerned = this.live(selector, now)
    if (staleAt === undefined) {
      for (const { key } of concerned) this.entries.delete(idOf(key))
      return concerned.length
    }
    const marked = concerned.filter((it) => staleAt < it.freshUntil)
    for (const entry of marked) this.put(staleFrom(entry, staleAt))
    return marked.length
  }

  holds(entry: Entry, since: number): boolean {
    return !this.changes.slice(since).some((selector) => selects(selector, entry))
  }
}

const idOf = (key: Key): string => `${key.name}/${key.id}`
const plain = ({
  key,
  loadedAt,
  freshUntil,
  staleUntil,
  errorUntil,
  keepUntil,
  staleAt,
  scope,
  era,
  tags,
}: KeyInfo): object => ({
  key,
  loadedAt,
  freshUntil,
  staleUntil,
  errorUntil,
  keepUntil,
  staleAt,
  scope,
  era,
  tags,
})

const pick = <T>(...items: T[]): fc.Arbitrary<T> => fc.constantFrom(...items)
const key = fc.record({ name: pick('users', 'users2', ''), id: pick('a', 'b', '["a",1]', 'é') })
const scope = pick('s', 't')
const selector: fc.Arbitrary<Selector> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: pick('key' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: pick('scope' as const), scope }) },
  { weight: 1, arbitrary: fc.record({ kind: pick('scope' as const), scope, name: pick('users', '') }) },
  { weight: 1, arbitrary: fc.record({ kind: pick('era' as const), era: pick('e', 'f'), scope }) },
  { weight: 1, arbitrary: fc.record({ kind: pick('tag' as const), tag: pick('x', 'y') }) },
  { weight: 1, arbitrary: fc.record({ kind: pick('name' as const), name: pick('users', 'users2') }) },
  { weight: 1, arbitrary: fc.record({ kind: pick('all' as const) }) },
)
const ms = fc.nat(60)
const member = fc.record({
  scope: pick(undefined, 's', 't'),
  era: pick(undefined, 'e', 'f'),
  tags: pick<string[] | undefined>(undefined, ['x'], ['y'], ['x', 'y']),
})
const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: pick('set' as const), key, member, fresh: ms, stale: ms, error: ms, keep: ms }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: pick('store' as const),
      key,
      member,
      fresh: ms,
      stale: ms,
      error: ms,
      keep: ms,
      lease: fc.nat(3),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: pick('lease' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: pick('remove' as const), selector }) },
  { weight: 2, arbitrary: fc.record({ do: pick('mark' as const), selector }) },
  { weight: 4, arbitrary: fc.record({ do: pick('look' as const), key, selector }) },
  { weight: 2, arbitrary: fc.record({ do: pick('advance' as const), ms: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ do: pick('sweep' as const) }) },
)

const folder = testFolder()
let folders = 0

const TIERS: readonly (readonly [string, () => Tier])[] = [
  ['memory', () => memory()],
  ['sqlite', () => sqlite({ path: ':memory:' })],
  ['jsonl', () => jsonl({ path: join(folder, String(++folders)) })],
  [
    'a stack of both',
    () => new Stack([memory(), sqlite({ path: ':memory:' })], { admit: (it) => it, unstorable: () => {} }),
  ],
]

describe.for(TIERS)('%s', ([, make]) => {
  it('answers, lists, counts, refuses and forgets as the model does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 50, size: 'max' }), async (operations) => {
        const clock = new FakeClock()
        const tier = make()
        const attached = tier instanceof Stack ? tier.tiers : [tier]
        for (const it of attached) it.attach?.({ clock, report: () => {} })
        const model = new Model()
        const leases: { readonly lease: Lease; readonly since: number; readonly at: number }[] = []
        let value = 0
        for (const step of operations) {
          const now = clock.now()
          if (step.do === 'advance') await clock.advance(step.ms)
          else if (step.do === 'lease')
            leases.unshift({ lease: await tier.lease(), since: model.changes.length, at: now })
          else if (step.do === 'sweep') await tier.sweep(now, 100)
          else if (step.do === 'remove' || step.do === 'mark') {
            const staleAt = step.do === 'mark' ? now : undefined
            expect(await tier.remove(step.selector, staleAt)).toBe(model.remove(step.selector, staleAt, now))
          } else if (step.do === 'look') {
            await look(tier, model, step.key, step.selector, now)
          } else {
            const taken = step.do === 'store' ? leases[step.lease] : undefined
            if (step.do === 'store' && !taken) continue
            const loadedAt = taken?.at ?? now
            const entry = entryAt(loadedAt, step, ++value)
            const stored = await tier.put(entry, taken?.lease)
            if (!taken) {
              model.changes.push({ kind: 'key', key: entry.key })
              expect(stored).toBe(true)
            } else {
              const there = model.entries.get(idOf(entry.key))
              const isNewest = !there || there.loadedAt <= loadedAt
              const mayStore = model.holds(entry, taken.since) && (isNewest || now >= there.keepUntil)
              // A newer entry past its time, but not swept yet, may still stand in the way of an older load.
              if (isNewest || !mayStore) expect(stored).toBe(mayStore)
            }
            if (stored) model.put(entry)
          }
        }
        for (const found of [...model.entries.values()])
          await look(tier, model, found.key, { kind: 'all' }, clock.now())
        await tier.close()
      }),
      { numRuns: 150 },
    )
  })
})

async function look(tier: Tier, model: Model, key: Key, selector: Selector, now: number): Promise<void> {
  const expected = model.entries.get(idOf(key))
  const found = await tier.get(key)
  expect(found && { ...plain(found), value: found.value }).toEqual(
    expected && now < expected.keepUntil ? { ...plain(expected), value: expected.value } : undefined,
  )
  const listed: object[] = []
  for await (const info of tier.keys(selector)) listed.push(plain(info))
  const byKey = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
  const means = model.live(selector, now)
  expect(listed.toSorted(byKey)).toEqual(means.map(plain).toSorted(byKey))
  expect(await tier.count(selector)).toBe(means.length)
}

function entryAt(
  loadedAt: number,
  step: {
    key: Key
    member: Pick<Entry, 'scope' | 'era' | 'tags'>
    fresh: number
    stale: number
    error: number
    keep: number
  },
  value: number,
): Entry {
  const freshUntil = loadedAt + step.fresh
  const [staleUntil, errorUntil] = [freshUntil + step.stale, freshUntil + step.error]
  return {
    key: step.key,
    value,
    loadedAt,
    freshUntil,
    staleUntil,
    errorUntil,
    keepUntil: Math.max(staleUntil, errorUntil) + step.keep,
    ...step.member,
  }
}
