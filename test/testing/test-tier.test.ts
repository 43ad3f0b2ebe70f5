// The suite of the tier contract finds what it is there to find: each of these tiers breaks one promise.

import { describe, expect, it } from 'vitest'
import {
  memory,
  sqlite,
  type Entry,
  type Key,
  type KeyInfo,
  type Lease,
  type MaybePromise,
  type Selector,
  type Tier,
  type TierHost,
} from 'tidemark'
import { testTier } from 'tidemark/testing'

/** A tier that does everything right; the broken ones change one thing. */
class Right implements Tier {
  readonly name: string = 'right'
  readonly capabilities: Tier['capabilities'] = { persistent: false, shared: false, sync: true }
  protected readonly below: Tier = memory()
  protected host: TierHost | undefined

  attach(host: TierHost): void {
    this.host = host
    this.below.attach?.(host)
  }

  get(key: Key): MaybePromise<Entry | undefined> {
    return this.below.get(key)
  }

  lease(): MaybePromise<Lease> {
    return this.below.lease()
  }

  put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
    return this.below.put(entry, lease)
  }

  remove(selector: Selector, staleAt?: number): MaybePromise<number> {
    return this.below.remove(selector, staleAt)
  }

  keys(selector: Selector): AsyncIterable<KeyInfo> {
    return this.below.keys(selector)
  }

  count(selector: Selector): MaybePromise<number> {
    return this.below.count(selector)
  }

  sweep(now: number, limit: number): MaybePromise<number> {
    return this.below.sweep(now, limit)
  }

  close(): MaybePromise<void> {
    return this.below.close()
  }
}

const FOREVER = 8_640_000_000_000_000

const BROKEN: readonly (readonly [string, new () => Tier, RegExp])[] = [
  [
    'stores whatever the lease says',
    class extends Right {
      override put(entry: Entry): MaybePromise<boolean> {
        return this.below.put(entry)
      }
    },
    /a lease does not hold after/,
  ],
  [
    'keeps leases although a tag was removed',
    class extends Right {
      #removed = 0
      override lease(): MaybePromise<Lease> {
        return (this.below.lease() as number) + this.#removed
      }
      override async remove(selector: Selector, staleAt?: number): Promise<number> {
        if (selector.kind === 'tag') this.#removed = Number.POSITIVE_INFINITY
        return this.below.remove(selector, staleAt)
      }
      override put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
        return this.below.put(entry, this.#removed > 0 && lease !== undefined ? Number.MAX_SAFE_INTEGER : lease)
      }
    },
    /after one of its tags was/,
  ],
  [
    'returns what is past its time',
    class extends Right {
      override put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
        return this.below.put({ ...entry, keepUntil: FOREVER }, lease)
      }
    },
    /inclusive-boundary/,
  ],
  [
    'drops an entry a millisecond early',
    class extends Right {
      override put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
        return this.below.put({ ...entry, keepUntil: entry.keepUntil - 1 }, lease)
      }
    },
    /inclusive-boundary|with everything that was said/,
  ],
  [
    'loses tags',
    class extends Right {
      override put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
        return this.below.put({ ...entry, tags: undefined }, lease)
      }
    },
    /selects a tag/,
  ],
  [
    'keeps the tags of the entry before',
    class extends Right {
      readonly #tags = new Map<string, readonly string[]>()
      override put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
        const id = `${entry.key.name}/${entry.key.id}`
        const tags = [...(this.#tags.get(id) ?? []), ...(entry.tags ?? [])]
        this.#tags.set(id, tags)
        return this.below.put({ ...entry, tags: tags.length > 0 ? tags : undefined }, lease)
      }
    },
    /replaces under the same key/,
  ],
  [
    'forgets the identity',
    class extends Right {
      override put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
        return this.below.put({ ...entry, identity: undefined }, lease)
      }
    },
    /with everything that was said about it/,
  ],
  [
    'takes keys for the same that differ in case only',
    class extends Right {
      #fold(key: Key): Key {
        return { ...key, id: key.id.toLowerCase() }
      }
      override get(key: Key): MaybePromise<Entry | undefined> {
        return this.below.get(this.#fold(key))
      }
      override put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
        return this.below.put({ ...entry, key: this.#fold(entry.key) }, lease)
      }
    },
    /every-key/,
  ],
  [
    'takes names for the same that begin alike',
    class extends Right {
      override async remove(selector: Selector, staleAt?: number): Promise<number> {
        if (selector.kind !== 'name') return this.below.remove(selector, staleAt)
        const names = new Set<string>()
        for await (const { key } of this.below.keys({ kind: 'all' }))
          if (key.name.startsWith(selector.name)) names.add(key.name)
        let removed = 0
        for (const name of names) removed += await this.below.remove({ kind: 'name', name }, staleAt)
        return removed
      }
    },
    /clear-clears-exactly|selects a name/,
  ],
  [
    'stores values as plain JSON',
    class extends Right {
      override put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
        const text = JSON.stringify(entry.value, (_, it: unknown) => (typeof it === 'bigint' ? String(it) : it)) as
          | string
          | undefined
        return this.below.put({ ...entry, value: text === undefined ? null : (JSON.parse(text) as unknown) }, lease)
      }
    },
    /every-value-everywhere: a Date/,
  ],
  [
    'lets its first put be overtaken',
    class extends Right {
      #puts = 0
      override async put(entry: Entry, lease?: Lease): Promise<boolean> {
        if (this.#puts++ === 0) await new Promise((resolve) => setImmediate(resolve))
        return this.below.put(entry, lease)
      }
    },
    /keeps the order of puts/,
  ],
  [
    'stores an older load over a newer one',
    class extends Right {
      override async put(entry: Entry, lease?: Lease): Promise<boolean> {
        if (lease === undefined || (await this.below.put(entry, lease))) return this.below.put(entry, lease)
        const there = await this.below.get(entry.key)
        return there !== undefined && entry.loadedAt < there.loadedAt ? this.below.put(entry) : false
      }
    },
    /the one that finished last stays/,
  ],
  [
    'marks stale without moving the windows',
    class extends Right {
      override async remove(selector: Selector, staleAt?: number): Promise<number> {
        const before: Entry[] = []
        for await (const { key } of this.below.keys(selector)) before.push((await this.below.get(key)) as Entry)
        const count = await this.below.remove(selector, staleAt)
        if (staleAt !== undefined)
          for (const entry of before)
            await this.below.put({ ...entry, freshUntil: Math.min(entry.freshUntil, staleAt) })
        return count
      }
    },
    /mark stale/,
  ],
  [
    'sweeps more than it was asked for',
    class extends Right {
      override sweep(now: number): MaybePromise<number> {
        return this.below.sweep(now, 1_000)
      }
    },
    /at most so many at once/,
  ],
  [
    'counts what is past its time',
    class extends Right {
      #puts = 0
      override put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
        if (entry.keepUntil < FOREVER) this.#puts++
        return this.below.put(entry, lease)
      }
      override async count(selector: Selector): Promise<number> {
        return Math.max(await this.below.count(selector), this.#puts)
      }
    },
    /inclusive-boundary/,
  ],
]

/** Runs the suite over a tier; the names of the cases it failed. */
async function failures(make: () => Tier): Promise<string[]> {
  const cases: (readonly [string, () => Promise<void>])[] = []
  testTier('tier', make, { test: (name, run) => cases.push([name, run]), maxValueBytes: 200_000 })
  expect(cases.length).toBeGreaterThan(60)
  const failed: string[] = []
  for (const [name, run] of cases) await run().catch(() => failed.push(name))
  return failed
}

describe('the suite of the tier contract', () => {
  it('passes tiers that keep it', async () => {
    expect(await failures(() => new Right())).toEqual([])
    expect(await failures(() => sqlite({ path: ':memory:' }))).toEqual([])
  })

  it.for(BROKEN)('fails a tier that %s', async ([, Broken, expected]) => {
    const failed = await failures(() => new Broken())
    expect(failed.filter((name) => expected.test(name))).not.toEqual([])
  })

  it('closes every tier it made, also after a failure', async () => {
    let open = 0
    class Counted extends Right {
      constructor() {
        super()
        open++
      }
      override put(): MaybePromise<boolean> {
        throw new Error('broken')
      }
      override close(): MaybePromise<void> {
        open--
      }
    }
    expect(await failures(() => new Counted())).not.toEqual([])
    expect(open).toBe(0)
  })

  it('says so when there is nothing to register tests with', () => {
    expect(() => testTier('tier', () => memory())).toThrow('pass one, as in testTier(label, make, { test: it })')
  })
})
