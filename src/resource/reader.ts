import type { Entry } from '../entry.ts'
import type { Key } from '../key.ts'
import type { Context } from '../load/context.ts'
import { orLate } from '../load/deadline.ts'
import { isRefresh, type ReadOptions } from '../load/read-options.ts'
import { serveStale, type StaleReason } from '../load/serve.ts'
import type { NameCounters } from '../observe/counters.ts'
import { judge, type Verdict } from '../policy/judge.ts'
import type { Found } from '../stack/stack.ts'
import { isPromise, type Front, type MaybePromise } from '../tier/tier.ts'
import type { Loading } from './loading.ts'
import type { ResourceSettings } from './options.ts'
import type { Reading, ReadingReason } from './reading.ts'
import type { Asked, Revisions } from './revisions.ts'
import type { Sliding } from './sliding.ts'

/** What happens when memory has nothing fresh: look in the tiers, judge, load if need be, fall back if one may. */
export class Reader<K, V> {
  readonly #settings: ResourceSettings<K, V>
  readonly #context: Context
  readonly #loading: Loading<K, V>
  readonly #front: Front | undefined
  readonly #sliding: Sliding | undefined
  readonly #revisions: Revisions | undefined
  readonly #counters: NameCounters

  constructor(
    settings: ResourceSettings<K, V>,
    context: Context,
    loading: Loading<K, V>,
    front: Front | undefined,
    sliding: Sliding | undefined,
    revisions: Revisions | undefined,
  ) {
    this.#settings = settings
    this.#context = context
    this.#loading = loading
    this.#front = front
    this.#sliding = sliding
    this.#revisions = revisions
    this.#counters = context.hub.of(settings.name)
  }

  read(input: K, key: Key, options: ReadOptions | undefined): MaybePromise<Reading<V>> {
    this.#context.refuseIfClosed()
    if (isRefresh(key.name, options)) return this.#refresh(input, key)
    if (!this.#context.isStrict) return this.#lookUp(input, key)
    const checked = this.#context.stack.check()
    return isPromise(checked) ? checked.then(() => this.#lookUp(input, key)) : this.#lookUp(input, key)
  }

  #lookUp(input: K, key: Key): MaybePromise<Reading<V>> {
    return this.#revisions ? this.#askFirst(input, key, this.#revisions) : this.#search(input, key, undefined)
  }

  /** Asks for the revision; gives up after the soft timeout, or on a failure, when there is something to hand out. */
  async #askFirst(input: K, key: Key, revisions: Revisions): Promise<Reading<V>> {
    const overdue = revisions.isOverdue ? await this.#known(key) : undefined
    if (overdue) return this.#unknown(key, overdue, 'source-slow')
    const asking = revisions.ask()
    const asked = await orLate(asking, this.#settings.softMs, this.#context.clock).catch((error: unknown) => ({
      error,
    }))
    if (asked !== 'late' && 'turn' in asked) return this.#search(input, key, asked)
    const known = this.#context.isClosed ? undefined : await this.#known(key)
    if (asked === 'late')
      return known ? this.#unknown(key, known, 'source-slow') : this.#search(input, key, await asking)
    if (!known) throw asked.error
    return this.#unknown(key, known, 'source-unavailable', asked.error)
  }

  /** What may be handed out while nobody can tell whether it still holds. */
  async #known(key: Key): Promise<Found | undefined> {
    const found = await this.#context.stack.read(key, () => false)
    return found && this.#verdict(found.entry, undefined) !== 'expired' ? found : undefined
  }

  #verdict(entry: Entry, asked: Asked | undefined): Verdict {
    return this.#revisions ? this.#revisions.verdict(entry, asked) : judge(entry, this.#context.clock.now())
  }

  #search(input: K, key: Key, asked: Asked | undefined): MaybePromise<Reading<V>> {
    const found = this.#context.stack.read(key, (entry) => this.#verdict(entry, asked) === 'fresh')
    const answer = (it: Found | undefined): MaybePromise<Reading<V>> => this.#answer(input, key, it, asked)
    return isPromise(found) ? found.then(answer) : answer(found)
  }

  #answer(input: K, key: Key, found: Found | undefined, asked: Asked | undefined): MaybePromise<Reading<V>> {
    if (found?.isAccepted) return this.#hit(key, found)
    const { clock } = this.#context
    if (found === undefined || this.#verdict(found.entry, asked) === 'expired')
      return this.#loaded(input, key, found?.entry, asked)
    const { backoff } = this.#loading
    return serveStale(
      {
        verdict: () => this.#verdict(found.entry, asked),
        stale: (reason, waited, error) => this.#stale(key, found, reason, waited, error),
      },
      {
        clock,
        softMs: this.#settings.softMs,
        failure: () => backoff.holding(key.id, clock.now()),
        loadBehind: () => this.#loading.refreshBehind(input, key.id, found.entry, asked),
        load: () => this.#loaded(input, key, found.entry, asked),
        isClosed: () => this.#context.isClosed,
      },
    )
  }

  async #refresh(input: K, key: Key): Promise<Reading<V>> {
    this.#missed(key)
    const asked = await this.#revisions?.ask()
    const stored = await this.#context.stack.get(key)
    const { entry } = await this.#loading.refresh(input, key.id, stored, asked)
    return this.#reading(entry, 'fresh', 'loaded', 'source')
  }

  async #loaded(input: K, key: Key, stale: Entry | undefined, asked: Asked | undefined): Promise<Reading<V>> {
    this.#missed(key)
    const { entry, from } = await this.#loading.join(input, key.id, stale, asked)
    return this.#reading(entry, 'fresh', 'loaded', from)
  }

  #hit(key: Key, found: Found): Reading<V> {
    this.#counters.hit(found.tier, false)
    if (this.#sliding) this.#sliding.touchEntry(found.entry, this.#front)
    const { hub } = this.#context
    if (hub.isHeard) hub.emit({ type: 'hit', name: key.name, key: key.id, tier: found.tier, state: 'fresh' })
    return this.#reading(found.entry, 'fresh', 'hit', found.tier)
  }

  #stale(key: Key, found: Found, reason: StaleReason, waited: boolean, error?: unknown): Reading<V> {
    if (reason !== 'revalidating') this.#counters.fallbacks++
    const { hub } = this.#context
    if (!waited) {
      this.#counters.hit(found.tier, true)
      if (hub.isHeard) hub.emit({ type: 'hit', name: key.name, key: key.id, tier: found.tier, state: 'stale' })
    }
    return this.#reading(found.entry, 'stale', reason, found.tier, error)
  }

  /** What was known last, while nobody can tell the revision. */
  #unknown(key: Key, found: Found, reason: StaleReason, error?: unknown): Reading<V> {
    return { ...this.#stale(key, found, reason, false, error), revision: 'unknown' }
  }

  #missed(key: Key): void {
    this.#counters.misses++
    if (this.#context.hub.isHeard) this.#context.hub.emit({ type: 'miss', name: key.name, key: key.id })
  }

  #reading(entry: Entry, state: 'fresh' | 'stale', reason: ReadingReason, tier: string, error?: unknown): Reading<V> {
    const reading = {
      value: this.#context.handout.out(entry.value as V),
      state,
      reason,
      tier,
      age: Math.max(0, this.#context.clock.coarse() - entry.loadedAt),
      loadedAt: entry.loadedAt,
      revision: entry.revision,
    }
    return error === undefined ? reading : { ...reading, error }
  }
}
