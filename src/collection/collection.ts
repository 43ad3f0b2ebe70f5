import type { Entry } from '../entry.ts'
import { selectorOf, type ScopeFilter } from '../key.ts'
import type { Context } from '../load/context.ts'
import { Hold } from '../load/hold.ts'
import { isRefresh, type ReadOptions } from '../load/read-options.ts'
import { serveStale, type StaleReason } from '../load/serve.ts'
import type { NameCounters, NameStats } from '../observe/counters.ts'
import { judge } from '../policy/judge.ts'
import { isYoungEnough, resolveReadOptions, type CollectionReadOptions } from './read-options.ts'
import { outOfRange, type ItemReading, type ListReading } from './reading.ts'
import { removeItems } from './remove.ts'
import { resolveCollection, type CollectionOptions, type CollectionSettings } from './options.ts'
import { Shelf, verdictOf, type Head, type Snapshot } from './snapshot.ts'
import type { Synced } from './sync.ts'
import { Syncing } from './syncing.ts'
import { checkItems, putItems } from './upsert.ts'

/**
 * An append-only list of a source that can count: only the tail is ever loaded, and an erased source is a new era.
 * Made by `tide.collection`.
 *
 * @example
 * await events.list('tcp:10.0.0.7:12345')
 * await events.sync('tcp:10.0.0.7:12345') // { total: 14, added: 2, era: 'same' }
 */
export class Collection<K, T> {
  readonly name: string
  readonly #settings: CollectionSettings<K, T>
  readonly #context: Context
  readonly #hold: Hold
  readonly #shelf: Shelf<K, T>
  readonly #syncing: Syncing<K, T>
  readonly #counters: NameCounters

  constructor(options: CollectionOptions<K, T>, context: Context) {
    this.#settings = resolveCollection(options, context)
    this.name = this.#settings.name
    this.#context = context
    this.#hold = new Hold(context.clock, this.#settings.hardMs)
    this.#counters = context.hub.of(this.name)
    this.#shelf = new Shelf(this.#settings, context)
    this.#syncing = new Syncing(this.#shelf, context, this.#counters)
    this.#settings.era.join(this.name)
    context.sealer.declare(this.name, this.#settings.secrets)
  }

  /** All items, in order. Asks the source for its count first, unless `freshness` or `maxAge` says the last answer will do. */
  async list(key: K, options?: CollectionReadOptions): Promise<T[]> {
    return (await this.read(key, options)).value
  }

  /** Like {@link list}, with where the items came from, how old they are and why they are stale, if they are. */
  read(key: K, options?: CollectionReadOptions): Promise<ListReading<T>> {
    return this.#hold.during(this.#read(key, options))
  }

  async #read(key: K, options: CollectionReadOptions | undefined): Promise<ListReading<T>> {
    this.#context.refuseIfClosed()
    const id = this.#settings.idOf(key)
    const { refresh, maxAgeMs } = resolveReadOptions(this.name, options)
    if (refresh) return this.#loaded(key, id, true)
    if (this.#context.isStrict) await this.#context.stack.check()
    const known = await this.#shelf.snapshot(id, true)
    const { clock } = this.#context
    const verdict = verdictOf(known, clock.now())
    if (verdict === 'fresh' || isYoungEnough(known, maxAgeMs, clock.now())) return this.#hit(id, known)
    if (verdict === 'expired') return this.#loaded(key, id, false)
    return serveStale(
      {
        verdict: () => verdictOf(known, clock.now()),
        stale: (reason, waited, error) => this.#stale(id, known, reason, waited, error),
      },
      {
        clock,
        softMs: this.#settings.softMs,
        failure: () => this.#syncing.backoff.holding(id, clock.now()),
        loadBehind: () => this.#syncing.behind(key, id),
        load: () => this.#loaded(key, id, false),
        isClosed: () => this.#context.isClosed,
      },
    )
  }

  /** One item: as stored, or after a sync. Errors: `out-of-range` when the source has no such item. */
  async at(key: K, index: number, options?: ReadOptions): Promise<T> {
    return (await this.readAt(key, index, options)).value
  }

  /** Like {@link at}, with where the item came from, how old it is and why it is stale, if it is. */
  async readAt(key: K, index: number, options?: ReadOptions): Promise<ItemReading<T>> {
    this.#context.refuseIfClosed()
    const id = this.#settings.idOf(key)
    if (!Number.isInteger(index) || index < 0) throw outOfRange(this.name, index, undefined)
    const { clock, handout, hub } = this.#context
    const stored = isRefresh(this.name, options) ? undefined : await this.#storedAt(id, index)
    if (stored) {
      this.#counters.hit(stored.tier, false)
      if (hub.isHeard) hub.emit({ type: 'hit', name: this.name, key: id, tier: stored.tier, state: 'fresh' })
      const { value, loadedAt } = stored.entry
      const age = Math.max(0, clock.now() - loadedAt)
      return { value: handout.out(value as T), state: 'fresh', reason: 'hit', tier: stored.tier, age, loadedAt }
    }
    const { value: items, ...reading } = await this.read(key, options)
    if (index >= items.length) throw outOfRange(this.name, index, items.length)
    return { ...reading, value: items[index] as T }
  }

  /** Brings the collection up to the source now, and tells what that changed. */
  async sync(key: K): Promise<{ total: number; added: number; era: 'same' | 'new' }> {
    this.#context.refuseIfClosed()
    const { total, added, era } = await this.#hold.during(this.#syncing.join(key, this.#settings.idOf(key)))
    return { total, added, era }
  }

  /** The items that are stored, by index, without asking the source; `undefined` when nothing is. Errors: `closed`. */
  async stored(key: K): Promise<Map<number, T> | undefined> {
    this.#context.refuseIfClosed()
    const { items } = await this.#shelf.snapshot(this.#settings.idOf(key), true)
    const stored = items.flatMap((entry, i) =>
      entry ? [[i, this.#context.handout.out(entry.value as T)] as const] : [],
    )
    return stored.length > 0 ? new Map(stored) : undefined
  }

  /**
   * Stores items by index as if they had just been loaded. An item that names another thing than the one stored at its
   * key ends the era first. What was known of an item's identity and is not said again is kept. Errors: `out-of-range`,
   * `invalid-value`, `closed`.
   */
  async set(key: K, items: ReadonlyMap<number, T>): Promise<void> {
    this.#context.refuseIfClosed()
    const id = this.#settings.idOf(key)
    const { era, scopeOf, identity } = this.#settings
    checkItems(this.name, items)
    await era.exclusively(scopeOf(key), async () => {
      for (const [index, item] of items) {
        const other = await era.conflictWith(this.#shelf.itemKey(id, index).id, identity?.(item))
        if (other === undefined) continue
        await era.renew(scopeOf(key), `item ${index} of ${this.name} names another thing now`)
        break
      }
      await putItems(this.#shelf, this.#context.stack, key, id, items, this.#context.clock.now())
    })
    this.#counters.sets++
    this.#context.hub.emit({ type: 'set', name: this.name, key: id })
  }

  /** Says that stored items may be wrong: the next list loads them all again. */
  async invalidate(key: K): Promise<void> {
    await this.#remove(key, this.#context.clock.now())
    this.#counters.invalidations++
  }

  /** Removes a collection from every tier. Resolves to how many items that were. */
  async clear(key: K): Promise<number> {
    const count = await this.#remove(key, undefined)
    this.#counters.deletes++
    this.#counters.evictions.explicit += count
    return count
  }

  /** How many items are stored, of one scope or of all; some may have expired and wait to be swept. */
  async count(filter: ScopeFilter = {}): Promise<number> {
    this.#context.refuseIfClosed()
    return this.#context.stack.count(selectorOf(this.name, filter))
  }

  /** The counts of this name; a request is a list or an item. */
  async stats(): Promise<NameStats> {
    return this.#counters.snapshot(this.#context.stack.tiers[0]?.name ?? '')
  }

  async #loaded(key: K, id: string, all: boolean): Promise<ListReading<T>> {
    this.#counters.misses++
    const { hub } = this.#context
    if (hub.isHeard) hub.emit({ type: 'miss', name: this.name, key: id })
    return this.#reading(await (all ? this.#syncing.refresh(key, id) : this.#syncing.join(key, id)))
  }

  #hit(id: string, known: Snapshot): ListReading<T> {
    this.#counters.hit(known.tier, false)
    const { hub } = this.#context
    if (hub.isHeard) hub.emit({ type: 'hit', name: this.name, key: id, tier: known.tier, state: 'fresh' })
    return this.#storedReading(known, 'fresh', 'hit')
  }

  #stale(id: string, known: Snapshot, reason: StaleReason, waited: boolean, error?: unknown): ListReading<T> {
    if (reason !== 'revalidating') this.#counters.fallbacks++
    const { hub } = this.#context
    if (!waited) {
      this.#counters.hit(known.tier, true)
      if (hub.isHeard) hub.emit({ type: 'hit', name: this.name, key: id, tier: known.tier, state: 'stale' })
    }
    return this.#storedReading(known, 'stale', reason, error)
  }

  #storedReading(
    known: Snapshot,
    state: 'fresh' | 'stale',
    reason: ListReading<T>['reason'],
    error?: unknown,
  ): ListReading<T> {
    const { clock, handout } = this.#context
    const { loadedAt } = known.entry as Entry
    return {
      value: known.items.map((item) => handout.out((item as Entry).value as T)),
      state,
      reason,
      tier: known.tier,
      age: Math.max(0, clock.now() - loadedAt),
      loadedAt,
      ...(error === undefined ? undefined : { error }),
    }
  }

  #reading(synced: Synced<T>): ListReading<T> {
    const { clock, handout } = this.#context
    const { loadedAt, added, era } = synced
    const value = synced.items.map((item) => handout.out(item))
    return {
      value,
      state: 'fresh',
      reason: 'loaded',
      tier: 'source',
      age: Math.max(0, clock.now() - loadedAt),
      loadedAt,
      added,
      era,
    }
  }

  async #storedAt(id: string, index: number): Promise<{ entry: Entry; tier: string } | undefined> {
    const { stack, clock } = this.#context
    if (this.#context.isStrict) await stack.check()
    const head = (await stack.get(this.#shelf.headKey(id)))?.value as Head | undefined
    if (!head || index >= head.total) return undefined
    const found = await stack.read(this.#shelf.itemKey(id, index), (entry) => judge(entry, clock.now()) === 'fresh')
    return found && found.entry.revision === head.stamp && judge(found.entry, clock.now()) === 'fresh'
      ? found
      : undefined
  }

  async #remove(key: K, staleAt: number | undefined): Promise<number> {
    this.#context.refuseIfClosed()
    const { stack, hub } = this.#context
    const id = this.#settings.idOf(key)
    const count = await removeItems(this.#shelf, stack, key, id, staleAt)
    this.#syncing.backoff.succeeded(id)
    hub.emit({ type: staleAt === undefined ? 'deleted' : 'invalidated', name: this.name, key: id, count })
    return count
  }
}
