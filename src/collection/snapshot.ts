import { FOREVER, mergeIdentity, type Entry, type Identity } from '../entry.ts'
import { keyId, keyOfId, type Key } from '../key.ts'
import type { Context } from '../load/context.ts'
import { judge, type Verdict } from '../policy/judge.ts'
import { lifetimes } from '../policy/policy.ts'
import type { CollectionSettings } from './options.ts'

/** What is stored once for each collection: the anchor all its items are checked against. */
export interface Head {
  readonly total: number
  /** Stamps the items of one era; items with another stamp do not count. */
  readonly stamp: string
  readonly first: Identity | undefined
  readonly last: Identity | undefined
}

/** A collection as it is stored. */
export interface Snapshot {
  /** The head's entry, if there is one. Without it no item is trusted. */
  readonly entry: Entry | undefined
  readonly head: Head | undefined
  readonly tier: string
  /** The items of the head's era, by index; a missing or invalidated one is `undefined`. */
  readonly items: readonly (Entry | undefined)[]
}

/**
 * Where the entries of a collection lie. Items are entries of their own under the key `[collection, index]`, so in an era
 * they share keys with whatever else names the same thing.
 */
export class Shelf<K, T> {
  readonly settings: CollectionSettings<K, T>
  readonly #context: Context

  constructor(settings: CollectionSettings<K, T>, context: Context) {
    this.settings = settings
    this.#context = context
  }

  headKey(id: string): Key {
    return { name: `${this.settings.name}#head`, id }
  }

  itemKey(id: string, index: number): Key {
    // A plain string keeps its form inside the tuple, so ['unit', 3] is the same key wherever it is made.
    const input = keyOfId(id)
    return { name: this.settings.name, id: keyId(Array.isArray(input) ? [...input, index] : [input as string, index]) }
  }

  /** What is stored, read in one turn where the tiers allow. `any`: items count even if they were invalidated. */
  async snapshot(id: string, any = false): Promise<Snapshot> {
    const { stack, clock } = this.#context
    const found = await stack.read(this.headKey(id), (entry) => judge(entry, clock.now()) === 'fresh')
    if (!found) return { entry: undefined, head: undefined, tier: 'source', items: [] }
    const head = found.entry.value as Head
    const answers = Array.from({ length: head.total }, (_, i) => stack.get(this.itemKey(id, i)))
    const items: (Entry | undefined)[] = []
    for (const answer of answers) {
      const entry = await answer
      const counts = entry?.revision === head.stamp && (any || judge(entry, clock.now()) === 'fresh')
      items.push(counts ? entry : undefined)
    }
    return { entry: found.entry, head, tier: found.tier, items }
  }

  /** The entry of one item. What an earlier one knew of its identity and the new one does not say is kept. */
  itemEntry(key: K, id: string, index: number, item: T, stamp: string, loadedAt: number, before?: Entry): Entry {
    return {
      key: this.itemKey(id, index),
      value: this.#context.handout.admit(item),
      loadedAt,
      ...lifetimes(this.#context.clock.now(), FOREVER, this.settings.windows),
      ...this.#membership(key, id),
      identity: mergeIdentity(before?.identity, this.settings.identity?.(item)),
      revision: stamp,
    }
  }

  headEntry(key: K, id: string, head: Head, loadedAt: number): Entry {
    const freshMs = this.settings.policy.freshMs(undefined)
    return {
      key: this.headKey(id),
      value: this.#context.handout.admit(head),
      loadedAt,
      // A long load does not use up the time its answer is good for.
      ...lifetimes(this.#context.clock.now(), freshMs, { ...this.settings.windows, keepMs: FOREVER_MS }),
      ...this.#membership(key, id),
    }
  }

  /** The tag all entries of one collection carry when their scope holds other collections too. */
  ownTag(key: K, id: string): string | undefined {
    return this.settings.scopeOf(key) === id ? undefined : `${this.settings.name}#${id}`
  }

  #membership(key: K, id: string): Pick<Entry, 'scope' | 'era' | 'tags'> {
    const tag = this.ownTag(key, id)
    return {
      scope: this.settings.scopeOf(key),
      era: this.settings.era.name,
      tags: tag === undefined ? undefined : [tag],
    }
  }
}

/** The head outlives its freshness: what it says is checked by every probe, and items mean nothing without it. */
const FOREVER_MS = 360_000_000_000_000

/** The head's verdict, as far as every item it speaks of is there; invalidated items make the whole fall back. */
export function verdictOf(known: Snapshot, now: number): Verdict {
  if (!known.entry || known.items.some((item) => item === undefined)) return 'expired'
  const verdict = judge(known.entry, now)
  const verdicts = known.items.map((item) => judge(item as Entry, now))
  if (verdicts.includes('expired')) return 'expired'
  return verdict !== 'expired' && verdicts.some((it) => it !== 'fresh') ? 'fallback' : verdict
}
