import { Backoff } from '../load/backoff.ts'
import type { Context } from '../load/context.ts'
import { Flights } from '../load/flights.ts'
import { waitFor } from '../load/waiting.ts'
import type { NameCounters } from '../observe/counters.ts'
import type { Shelf } from './snapshot.ts'
import { Sync, type Synced } from './sync.ts'

/** The syncs of one collection: one flight for each list, refreshes shared, failures remembered. */
export class Syncing<K, T> {
  readonly backoff: Backoff = new Backoff()
  readonly #flights = new Flights<Synced<T>>()
  readonly #shelf: Shelf<K, T>
  readonly #sync: Sync<K, T>
  readonly #context: Context
  readonly #counters: NameCounters

  constructor(shelf: Shelf<K, T>, context: Context, counters: NameCounters) {
    this.#shelf = shelf
    this.#sync = new Sync(shelf, context)
    this.#context = context
    this.#counters = counters
    context.track(this.#flights as unknown as Flights<never>)
  }

  /** Joins the sync of a list or starts one. */
  join(key: K, id: string): Promise<Synced<T>> {
    const flight = this.#flights.get(id)
    if (!flight) return this.#start(key, id, false)
    waitFor(flight)
    return flight.promise
  }

  /**
   * Loads every item again, by a flight that began after this call. Those who ask while one is under way share the one after
   * it, so that a refresh button costs two downloads however often it is hit.
   */
  refresh(key: K, id: string): Promise<Synced<T>> {
    const current = this.#flights.get(id)
    if (current?.isRefresh !== true) return this.#start(key, id, true)
    waitFor(current)
    current.next ??= current.promise
      .catch(() => {})
      .then(() => {
        const later = this.#flights.get(id)
        if (later?.isRefresh !== true) return this.#start(key, id, true)
        waitFor(later)
        return later.promise
      })
    return current.next
  }

  /** Syncs behind a stale answer, unless that is being done or the source is left alone. */
  behind(key: K, id: string): void {
    if (this.#flights.get(id) || this.backoff.holding(id, this.#context.clock.now())) return
    void this.#start(key, id, false).catch(() => {})
  }

  #start(key: K, id: string, all: boolean): Promise<Synced<T>> {
    const { scopeOf, era, name } = this.#shelf.settings
    const { clock, hub } = this.#context
    const subject = { key: this.#shelf.headKey(id), scope: scopeOf(key), era: era.name, mayHaveTags: true }
    const flight = this.#flights.start(subject, clock.now(), async (it) => {
      this.#counters.loads++
      try {
        const synced = await this.#sync.run(it, key, id, all)
        this.backoff.succeeded(id)
        hub.emit({ type: 'loaded', name, key: id, tookMs: clock.now() - it.startedAt, stored: synced.stored })
        return synced
      } catch (error) {
        this.#counters.loadFailures++
        const now = clock.now()
        const retryAt = this.backoff.failed(id, now, error)
        hub.emit({ type: 'load-failed', name, key: id, tookMs: now - it.startedAt, error, retryAt })
        throw error
      }
    })
    flight.isRefresh = all
    waitFor(flight)
    return flight.promise
  }
}
