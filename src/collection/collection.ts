import { TidemarkError } from '../errors.ts'
import type { Entry } from '../entry.ts'
import { Backoff } from '../load/backoff.ts'
import type { Context } from '../load/context.ts'
import { Flights } from '../load/flights.ts'
import { serveStale, type StaleReason } from '../load/serve.ts'
import { waitFor } from '../load/waiting.ts'
import type { NameCounters, NameStats } from '../observe/counters.ts'
import { judge, type Verdict } from '../policy/judge.ts'
import type { ListReading } from './reading.ts'
import { resolveCollection, type CollectionOptions, type CollectionSettings } from './options.ts'
import { Shelf, type Head, type Snapshot } from './snapshot.ts'
import { Sync, type Synced } from './sync.ts'
import { putItems } from './upsert.ts'

/** How one read differs from the others. */
export interface ListOptions {
  /** Load every item again, whatever is stored. */
  readonly refresh?: boolean | undefined
}

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
  readonly #shelf: Shelf<K, T>
  readonly #sync: Sync<K, T>
  readonly #flights = new Flights<Synced<T>>()
  readonly #backoff = new Backoff()
  readonly #counters: NameCounters

  constructor(options: CollectionOptions<K, T>, context: Context) {
    this.#settings = resolveCollection(options, context)
    this.name = this.#settings.name
    this.#context = context
    this.#counters = context.hub.of(this.name)
    this.#shelf = new Shelf(this.#settings, context)
    this.#sync = new Sync(this.#shelf, context)
    this.#settings.era.join(this.name)
    context.track(this.#flights as unknown as Flights<never>)
  }

  /** All items, in order. Asks the source for its count first, unless `freshness` says the last answer still holds. */
  async list(key: K, options?: ListOptions): Promise<T[]> {
    return (await this.read(key, options)).value
  }

  /** Like {@link list}, with where the items came from, how old they are and why they are stale, if they are. */
  async read(key: K, options?: ListOptions): Promise<ListReading<T>> {
    this.#context.refuseIfClosed()
    const id = this.#settings.idOf(key)
    if (options?.refresh === true) return this.#loaded(key, id, true)
    if (this.#context.isStrict) await this.#context.stack.check()
    const known = await this.#shelf.snapshot(id, true)
    const { clock } = this.#context
    const verdict = verdictOf(known, clock.now())
    if (verdict === 'expired') return this.#loaded(key, id, false)
    if (verdict === 'fresh') return this.#hit(id, known)
    return serveStale(
      {
        verdict: () => verdictOf(known, clock.now()),
        stale: (reason, waited, error) => this.#stale(id, known, reason, waited, error),
      },
      {
        clock,
        softMs: this.#settings.softMs,
        failure: () => this.#backoff.holding(id, clock.now()),
        loadBehind: () => this.#syncBehind(key, id),
        load: () => this.#loaded(key, id, false),
        isClosed: () => this.#context.isClosed,
      },
    )
  }

  /** One item: as stored, or after a sync. Errors: `out-of-range` when the source has no such item. */
  async at(key: K, index: number, options?: ListOptions): Promise<T> {
    const id = this.#settings.idOf(key)
    if (!Number.isInteger(index) || index < 0) throw outOfRange(this.name, index, undefined)
    if (options?.refresh !== true) {
      const stored = await this.#storedAt(id, index)
      if (stored) {
        this.#counters.hit(stored.tier, false)
        return this.#context.handout.out(stored.entry.value as T)
      }
    }
    const items = await this.list(key, options)
    if (index >= items.length) throw outOfRange(this.name, index, items.length)
    return items[index] as T
  }

  /** Brings the collection up to the source now, and tells what that changed. */
  async sync(key: K): Promise<{ total: number; added: number; era: 'same' | 'new' }> {
    this.#context.refuseIfClosed()
    const { total, added, era } = await this.#join(key, this.#settings.idOf(key), false)
    return { total, added, era }
  }

  /** The items that are stored, by index, without asking the source; `undefined` when nothing is. */
  async stored(key: K): Promise<Map<number, T> | undefined> {
    const { items } = await this.#shelf.snapshot(this.#settings.idOf(key), true)
    const stored = items.flatMap((entry, i) =>
      entry ? [[i, this.#context.handout.out(entry.value as T)] as const] : [],
    )
    return stored.length > 0 ? new Map(stored) : undefined
  }

  /**
   * Stores items by index as if they had just been loaded. An item that names another thing than the one stored at its
   * key ends the era first. What was known of an item's identity and is not said again is kept.
   */
  async set(key: K, items: ReadonlyMap<number, T>): Promise<void> {
    this.#context.refuseIfClosed()
    const id = this.#settings.idOf(key)
    const { era, scopeOf, identity } = this.#settings
    await era.exclusively(scopeOf(key), async () => {
      for (const [index, item] of items) {
        const other = await era.conflictWith(this.#shelf.itemKey(id, index).id, identity?.(item))
        if (other === undefined) continue
        await era.renew(scopeOf(key), `item ${index} of ${this.name} names another thing now`)
        break
      }
      await putItems(this.#shelf, this.#context.stack, key, id, items)
    })
    this.#counters.sets++
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

  /** The counts of this name; a request is a list or an item. */
  async stats(): Promise<NameStats> {
    return this.#counters.snapshot(this.#context.stack.tiers[0]?.name ?? '')
  }

  #start(key: K, id: string, all: boolean): Promise<Synced<T>> {
    const { scopeOf, era } = this.#settings
    const subject = { key: this.#shelf.headKey(id), scope: scopeOf(key), era: era.name, mayHaveTags: true }
    const flight = this.#flights.start(subject, this.#context.clock.now(), async (it) => {
      this.#counters.loads++
      try {
        const synced = await this.#sync.run(it, key, id, all)
        this.#backoff.succeeded(id)
        return synced
      } catch (error) {
        this.#counters.loadFailures++
        const now = this.#context.clock.now()
        const retryAt = this.#backoff.failed(id, now, error)
        this.#context.hub.emit({
          type: 'load-failed',
          name: this.name,
          key: id,
          tookMs: now - it.startedAt,
          error,
          retryAt,
        })
        throw error
      }
    })
    waitFor(flight)
    return flight.promise
  }

  #join(key: K, id: string, all: boolean): Promise<Synced<T>> {
    const flight = all ? undefined : this.#flights.get(id)
    if (!flight) return this.#start(key, id, all)
    waitFor(flight)
    return flight.promise
  }

  async #loaded(key: K, id: string, all: boolean): Promise<ListReading<T>> {
    this.#counters.misses++
    return this.#reading(await this.#join(key, id, all))
  }

  #syncBehind(key: K, id: string): void {
    if (!this.#flights.get(id) && !this.#backoff.holding(id, this.#context.clock.now()))
      void this.#start(key, id, false).catch(() => {})
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
    const { stack } = this.#context
    const id = this.#settings.idOf(key)
    const tag = this.#shelf.ownTag(key, id)
    const scope = this.#settings.scopeOf(key)
    const count = await stack.remove(
      tag === undefined ? { kind: 'scope', scope, name: this.name } : { kind: 'tag', tag },
      staleAt,
    )
    await stack.remove({ kind: 'key', key: this.#shelf.headKey(id) }, staleAt)
    this.#backoff.succeeded(id)
    const heads = tag === undefined ? 0 : Math.min(1, count)
    this.#context.hub.emit({
      type: staleAt === undefined ? 'deleted' : 'invalidated',
      name: this.name,
      key: id,
      count: count - heads,
    })
    return count - heads
  }
}

/** The head's verdict, as far as every item it speaks of is there; invalidated items make the whole fall back. */
function verdictOf(known: Snapshot, now: number): Verdict {
  if (!known.entry || known.items.some((item) => item === undefined)) return 'expired'
  const verdict = judge(known.entry, now)
  const verdicts = known.items.map((item) => judge(item as Entry, now))
  if (verdicts.includes('expired')) return 'expired'
  return verdict !== 'expired' && verdicts.some((it) => it !== 'fresh') ? 'fallback' : verdict
}

function outOfRange(name: string, index: number, total: number | undefined): TidemarkError {
  const has = total === undefined ? 'Expected a whole number from 0' : `It has ${total}`
  return new TidemarkError('out-of-range', `${name} has no item ${index}. ${has}.`, { data: { name, index, total } })
}
