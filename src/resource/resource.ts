import { TidemarkError } from '../errors.ts'
import { keyId, keyOfId, startsPlain, type Key, type KeyInput } from '../key.ts'
import type { Context } from '../load/context.ts'
import type { NameCounters, NameStats } from '../observe/counters.ts'
import { judge, type Verdict } from '../policy/judge.ts'
import { isPromise, type Front } from '../tier/tier.ts'
import { explain, type Explanation } from './explain.ts'
import { Loading } from './loading.ts'
import { resolveResource, type ResourceOptions, type ResourceSettings } from './options.ts'
import { Reader } from './reader.ts'
import type { ReadOptions, Reading } from './reading.ts'
import { Sliding } from './sliding.ts'

/** One entry as `entries()` lists it: everything but the value. */
export interface EntryInfo {
  readonly name: string
  readonly key: KeyInput
  readonly state: Verdict
  readonly tier: string
  readonly age: number
  readonly loadedAt: number
  readonly freshUntil: number
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
  readonly #loading: Loading<K, V>
  readonly #reader: Reader<K, V>
  readonly #counters: NameCounters
  readonly #front: Front | undefined
  readonly #sliding: Sliding | undefined

  constructor(options: ResourceOptions<K, V>, context: Context) {
    this.#settings = resolveResource(options, context)
    this.name = this.#settings.name
    this.#context = context
    this.#counters = context.hub.of(this.name)
    this.#loading = new Loading(this.#settings, context)
    this.#front = context.stack.frontOf(this.name)
    const { slide } = this.#settings.policy
    this.#sliding = slide && new Sliding(slide, this.name, context)
    this.#reader = new Reader(this.#settings, context, this.#loading, this.#front, this.#sliding)
    this.#settings.era?.join(this.name)
  }

  /**
   * The value: from the fastest tier that has it fresh, else from the source. Many callers share one load.
   *
   * @param options `refresh`: ask the source whatever is cached
   * @throws what the loader throws; `load-timeout`, `load-returned-undefined`, `reentrant-load`, `invalid-key`, `closed`
   */
  get(key: K, options?: ReadOptions): Promise<V> {
    if (options === undefined && !this.#context.isStrict) {
      const value = this.#fresh(this.#settings.idOf(key))
      if (value !== undefined) return Promise.resolve(value as V)
    }
    const reading = this.#reader.read(key, this.#keyOf(key), options)
    return isPromise(reading) ? reading.then((it) => it.value) : Promise.resolve(reading.value)
  }

  /** Like {@link get}, with where the value came from, how old it is and why it is stale, if it is. */
  async read(key: K, options?: ReadOptions): Promise<Reading<V>> {
    return this.#reader.read(key, this.#keyOf(key), options)
  }

  /** The value if it lies fresh in memory, at once; else `undefined`. Starts nothing. */
  peek(key: K): V | undefined {
    const value = this.#front?.fresh(this.#settings.idOf(key))
    return value === undefined ? undefined : this.#context.handout.out(value as V)
  }

  /** The values of many keys, in their order; what is missing is loaded at the same time. Fails when one load fails. */
  getMany(keys: readonly K[]): Promise<V[]> {
    return Promise.all(keys.map((key) => this.get(key)))
  }

  /** Stores a value as if it had just been loaded. It wins over every load that is under way. Errors: `invalid-value`, `closed`. */
  async set(key: K, value: V): Promise<void> {
    this.#context.refuseIfClosed()
    if (value === undefined) {
      throw new TidemarkError('invalid-value', `Cannot store undefined under ${this.name}.`, {
        hint: 'Store null, or delete the key.',
      })
    }
    const { id } = this.#keyOf(key)
    const stored = this.#loading.store(this.#loading.entryOf(key, id, value), undefined)
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

  /** Lists what is stored, without values. */
  async *entries(filter: { readonly scope?: string | undefined } = {}): AsyncIterable<EntryInfo> {
    this.#context.refuseIfClosed()
    const { stack, clock } = this.#context
    const selector =
      filter.scope === undefined
        ? ({ kind: 'name', name: this.name } as const)
        : ({ kind: 'scope', scope: filter.scope, name: this.name } as const)
    for await (const info of stack.keys(selector)) {
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
  explain(key: K): Promise<Explanation> {
    return explain(this.#keyOf(key), this.#loading, this.#context)
  }

  /** The counts of this name. */
  async stats(): Promise<NameStats> {
    return this.#counters.snapshot(this.#context.stack.tiers[0]?.name ?? '')
  }

  /** The hot path: memory, fresh, nobody to ask. */
  #fresh(id: string): unknown {
    const value = this.#front?.fresh(id)
    if (value === undefined) return undefined
    this.#counters.frontHits++
    if (this.#sliding) this.#sliding.touch(id, this.#front as Front)
    const { hub, handout } = this.#context
    if (hub.isHeard) hub.emit({ type: 'hit', name: this.name, key: id, tier: 'memory', state: 'fresh' })
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
