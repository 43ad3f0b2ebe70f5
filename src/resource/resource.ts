import type { Entry } from '../entry.ts'
import { TidemarkError, invalidOption } from '../errors.ts'
import { keyId, keyOfId, selectorOf, startsPlain, type Key, type KeyInput, type ScopeFilter } from '../key.ts'
import { Monitor } from '../health/monitor.ts'
import type { Context } from '../load/context.ts'
import { Hold } from '../load/hold.ts'
import type { ReadOptions } from '../load/read-options.ts'
import type { NameCounters, NameStats } from '../observe/counters.ts'
import { judge, type Verdict } from '../policy/judge.ts'
import type { Source } from '../source/outage/source.ts'
import { isPromise, type Front } from '../tier/tier.ts'
import { setMoment, takesStale, type SetOptions, type StoredOptions } from './calls.ts'
import { explain, type Explanation } from './explain.ts'
import { ResourceHealth } from './health.ts'
import { Loading } from './loading.ts'
import { resolveResource, type ResourceOptions, type ResourceSettings } from './options.ts'
import { Reader } from './reader.ts'
import type { Reading } from './reading.ts'
import { Revisions } from './revisions.ts'
import { Sliding } from './sliding.ts'
import { askedThrough, ownSource, SourceFirst } from './source-first.ts'

/** One entry as `entries()` lists it: everything but the value. */
export interface EntryInfo {
  readonly name: string
  readonly key: KeyInput
  /** What a reader would make of it now; with `revisioned`, if the revision is still the same. */
  readonly state: Verdict
  /** The highest tier that has it. */
  readonly tier: string
  /** Milliseconds since it was loaded or set. */
  readonly age: number
  /** Milliseconds since 1970, as all times. */
  readonly loadedAt: number
  readonly freshUntil: number
  /** Size of the encoded value, where a tier measured it. */
  readonly bytes: number | undefined
  readonly scope: string | undefined
  readonly tags: readonly string[]
}

/**
 * Values by key, loaded from a source when they are missing or stale. Made by `tide.resource`.
 *
 * @example
 * const status = tide.resource({ name: 'status', load: (unit: string) => askUnit(unit), freshness: ttl('30s') })
 * await status.get('tcp:10.0.0.7:12345')
 */
export class Resource<K, V> {
  readonly name: string
  readonly #settings: ResourceSettings<K, V>
  readonly #context: Context
  readonly #hold: Hold
  readonly #loading: Loading<K, V>
  readonly #reader: Reader<K, V> | SourceFirst<K, V>
  readonly #source: Source | undefined
  readonly #revisions: Revisions | undefined
  /** Somebody is to be asked before anything is handed out. */
  readonly #asksFirst: boolean
  readonly #counters: NameCounters
  readonly #front: Front | undefined
  readonly #frontName: string
  readonly #sliding: Sliding | undefined
  readonly #health: ResourceHealth<K> | undefined

  constructor(options: ResourceOptions<K, V>, context: Context) {
    const settings = resolveResource(options, context)
    this.#source = settings.isSourceFirst ? (settings.source ?? ownSource(settings.name, context)) : undefined
    this.#settings = this.#source ? askedThrough(this.#source, settings) : settings
    this.name = this.#settings.name
    this.#context = context
    this.#hold = new Hold(context.clock, this.#settings.hardMs)
    this.#counters = context.hub.of(this.name)
    this.#loading = new Loading(this.#settings, context)
    this.#front = context.stack.frontOf(this.name)
    this.#frontName = context.stack.tiers[0]?.name ?? ''
    const { slide, revision } = this.#settings.policy
    this.#revisions = revision && new Revisions(revision, this.#settings, context.clock)
    this.#asksFirst = this.#source !== undefined || revision !== undefined
    this.#sliding = slide && new Sliding(slide, this.name, context)
    this.#reader = this.#source
      ? new SourceFirst(this.#settings, context, this.#loading, this.#source)
      : new Reader(this.#settings, context, this.#loading, this.#front, this.#sliding, this.#revisions)
    this.#settings.era?.join(this.name)
    context.sealer.declare(this.name, this.#settings.secrets)
    if (this.#settings.health) {
      const monitor = new Monitor(this.name, this.#settings.health, context)
      this.#loading.onStored = (entry) => monitor.added(entry.key.id, entry)
      this.#health = new ResourceHealth(monitor, this.#settings.idOf)
    }
  }

  /** The health of the stored values. Errors: `invalid-option` when the resource has no option `health`. */
  get health(): ResourceHealth<K> {
    if (this.#health) return this.#health
    throw invalidOption(`${this.name}.health`, 'given, to be asked for', undefined)
  }

  /**
   * The value: from the fastest tier that has it fresh, else from the source. Many callers share one load.
   *
   * @param options `refresh`: ask the source whatever is cached
   * @throws what the loader throws; `load-timeout`, `load-returned-undefined`, `reentrant-load`, `source-unavailable`,
   *   `invalid-key`, `closed`
   */
  get(key: K, options?: ReadOptions): Promise<V> {
    try {
      if (options === undefined && !this.#context.isStrict && !this.#asksFirst) {
        const value = this.#fresh(this.#settings.idOf(key))
        if (value !== undefined) return Promise.resolve(value as V)
      }
      const reading = this.#reader.read(key, this.#keyOf(key), options)
      return isPromise(reading) ? this.#hold.during(reading).then((it) => it.value) : Promise.resolve(reading.value)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Like {@link get}, with where the value came from, how old it is and why it is stale, if it is. */
  async read(key: K, options?: ReadOptions): Promise<Reading<V>> {
    const reading = this.#reader.read(key, this.#keyOf(key), options)
    return isPromise(reading) ? this.#hold.during(reading) : reading
  }

  /**
   * The value if it lies fresh in memory, at once; else `undefined`. Starts nothing: with `revisioned` it is always
   * `undefined`, because whether a value is fresh has to be asked.
   */
  peek(key: K): V | undefined {
    if (this.#revisions) return undefined
    const value = this.#front?.fresh(this.#settings.idOf(key))
    return value === undefined ? undefined : this.#context.handout.out(value as V)
  }

  /** The values of many keys, in their order; what is missing is loaded at the same time. Fails when one load fails. */
  getMany(keys: readonly K[]): Promise<V[]> {
    return Promise.all(keys.map((key) => this.get(key)))
  }

  /**
   * The value if a tier has it fresh, without loading it; else `undefined`. Errors: `closed`, and what a revision throws.
   *
   * @param options `stale`: also a value that is no longer fresh, as long as it is kept
   */
  async stored(key: K, options: StoredOptions = {}): Promise<V | undefined> {
    this.#context.refuseIfClosed()
    const takesAny = takesStale(this.name, options)
    const { stack, clock, handout } = this.#context
    if (this.#context.isStrict) await stack.check()
    const asked = await this.#revisions?.ask()
    const isFresh = (entry: Entry): boolean =>
      (this.#revisions ? this.#revisions.verdict(entry, asked) : judge(entry, clock.now())) === 'fresh'
    const entry = (await stack.read(this.#keyOf(key), isFresh))?.entry
    return entry && (takesAny || isFresh(entry)) ? handout.out(entry.value as V) : undefined
  }

  /**
   * Stores a value as if it had just been loaded. It wins over every load that is under way. With `revisioned` it is only
   * what is handed out until the next load, because nobody knows the revision it was made from.
   *
   * @param options `loadedAt`: when the source said so, milliseconds since 1970, for values that come from elsewhere;
   *   all lifetimes count from then. Defaults to now
   * @throws `invalid-value`, `invalid-option`, `older-version`, `closed`
   */
  async set(key: K, value: V, options: SetOptions = {}): Promise<void> {
    this.#context.refuseIfClosed()
    const loadedAt = setMoment(this.name, options, this.#context.clock.now())
    if (value === undefined) {
      throw new TidemarkError('invalid-value', `Cannot store undefined under ${this.name}.`, {
        hint: 'Store null, or delete the key.',
      })
    }
    const { id } = this.#keyOf(key)
    const entry = this.#loading.entryOf(key, id, value, loadedAt)
    const stored = this.#loading.set(entry)
    if (isPromise(stored)) await stored
    this.#loading.backoff.succeeded(id)
    this.#counters.sets++
    const { hub } = this.#context
    if (hub.isHeard) hub.emit({ type: 'set', name: this.name, key: id })
  }

  /**
   * Says that the source has changed: the value is stale from now on. It may still be handed out within
   * `staleWhileRevalidate` and `staleIfError`, counted from now; use {@link delete} for a value nobody may see again.
   */
  async invalidate(key: K): Promise<void> {
    await this.#remove(this.#keyOf(key), this.#context.clock.now())
  }

  /** Removes the value from every tier. A reader that comes after this resolved never sees it. */
  async delete(key: K): Promise<void> {
    await this.#remove(this.#keyOf(key), undefined)
  }

  /** Removes everything stored under this name. Resolves to how many entries that were. */
  async clear(): Promise<number> {
    this.#context.refuseIfClosed()
    const count = await this.#context.stack.remove({ kind: 'name', name: this.name })
    this.#counters.deletes++
    this.#counters.evictions.explicit += count
    this.#context.hub.emit({ type: 'deleted', name: this.name, count })
    return count
  }

  /** How many entries are stored, of one scope or of all; some may have expired and wait to be swept. */
  async count(filter: ScopeFilter = {}): Promise<number> {
    this.#context.refuseIfClosed()
    return this.#context.stack.count(selectorOf(this.name, filter))
  }

  /** Lists what is stored, without values. */
  async *entries(filter: ScopeFilter = {}): AsyncIterable<EntryInfo> {
    this.#context.refuseIfClosed()
    const { stack, clock } = this.#context
    for await (const info of stack.keys(selectorOf(this.name, filter))) {
      const now = clock.now()
      yield {
        name: this.name,
        key: keyOfId(info.key.id),
        state: judge(info, now),
        tier: info.tier,
        age: now - info.loadedAt,
        loadedAt: info.loadedAt,
        freshUntil: info.freshUntil,
        bytes: info.bytes,
        scope: info.scope,
        tags: info.tags ?? [],
      }
    }
  }

  /** Why the value of a key is fresh or stale: what each tier has, and what the source said last. */
  async explain(key: K): Promise<Explanation> {
    this.#context.refuseIfClosed()
    return explain(this.#keyOf(key), this.#loading, this.#context, this.#source, this.#revisions)
  }

  /** The counts of this name. */
  async stats(): Promise<NameStats> {
    return this.#counters.snapshot(this.#frontName)
  }

  /** The hot path: memory, fresh, nobody to ask. */
  #fresh(id: string): unknown {
    const value = this.#front?.fresh(id)
    if (value === undefined) return undefined
    this.#counters.frontHits++
    if (this.#sliding) this.#sliding.touch(id, this.#front as Front)
    const { hub, handout } = this.#context
    if (hub.isHeard) hub.emit({ type: 'hit', name: this.name, key: id, tier: this.#frontName, state: 'fresh' })
    return handout.out(value)
  }

  async #remove(key: Key, staleAt: number | undefined): Promise<void> {
    this.#context.refuseIfClosed()
    const { stack, hub } = this.#context
    const count = await stack.remove({ kind: 'key', key }, staleAt)
    this.#loading.backoff.succeeded(key.id)
    if (staleAt === undefined) {
      this.#counters.deletes++
      this.#counters.evictions.explicit += count
    } else this.#counters.invalidations++
    hub.emit({ type: staleAt === undefined ? 'deleted' : 'invalidated', name: this.name, key: key.id, count })
  }

  #keyOf(input: K): Key {
    const id = this.#settings.idOf(input)
    return { name: this.name, id: startsPlain(id) ? keyId(id) : id }
  }
}
