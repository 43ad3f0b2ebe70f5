import type { Entry } from '../entry.ts'
import { TidemarkError } from '../errors.ts'
import type { Key } from '../key.ts'
import type { Context } from '../load/context.ts'
import { orLate } from '../load/deadline.ts'
import { isRefresh, type ReadOptions } from '../load/read-options.ts'
import type { NameCounters } from '../observe/counters.ts'
import { judge } from '../policy/judge.ts'
import { resolveSource } from '../source/outage/options.ts'
import { Source } from '../source/outage/source.ts'
import type { Loading } from './loading.ts'
import type { ResourceSettings } from './options.ts'
import type { Reading, ReadingWarning } from './reading.ts'

/**
 * `strategy: 'source-first'`: every read asks the source, and the cache answers when that is slow or cannot. What the
 * source answers with, also with an error of the question, is the reader's.
 */
export class SourceFirst<K, V> {
  readonly #settings: ResourceSettings<K, V>
  readonly #context: Context
  readonly #loading: Loading<K, V>
  readonly #source: Source
  readonly #counters: NameCounters

  constructor(settings: ResourceSettings<K, V>, context: Context, loading: Loading<K, V>, source: Source) {
    this.#settings = settings
    this.#context = context
    this.#loading = loading
    this.#source = source
    this.#counters = context.hub.of(settings.name)
  }

  async read(input: K, key: Key, options: ReadOptions | undefined): Promise<Reading<V>> {
    this.#context.refuseIfClosed()
    const isForced = isRefresh(key.name, options)
    this.#source.touch({ id: `${key.name}\0${key.id}`, reload: (since) => this.#reload(input, key, since) })
    if (!isForced && this.#source.isOpen) return this.#fallBack(key, 'source-unavailable', this.#source.error, false)
    this.#missed(key)
    const loading = this.#loaded(input, key, isForced)
    return isForced ? loading : this.#orFallBack(key, loading)
  }

  /** The source's answer; the cache's when the source is slow or fails. */
  async #orFallBack(key: Key, loading: Promise<Reading<V>>): Promise<Reading<V>> {
    const { softMs } = this.#settings
    try {
      const landed = await orLate(loading, softMs, this.#context.clock)
      if (landed !== 'late') return landed
      return (await this.#known(key, 'source-slow', undefined, true)) ?? (await loading)
    } catch (error) {
      if (this.#context.isClosed || !this.#source.isUnavailable(error)) throw error
      return this.#fallBack(key, 'source-unavailable', error, true)
    }
  }

  async #loaded(input: K, key: Key, isForced: boolean): Promise<Reading<V>> {
    const stale = await this.#context.stack.get(key)
    const { entry } = isForced
      ? await this.#loading.refresh(input, key.id, stale)
      : await this.#loading.ask(input, key.id, stale)
    return this.#reading(entry, 'fresh', 'loaded', 'source')
  }

  /** Errors: `source-unavailable` when there is nothing to hand out. */
  async #fallBack(key: Key, reason: 'source-unavailable', error: unknown, waited: boolean): Promise<Reading<V>> {
    const known = await this.#known(key, reason, error, waited)
    if (known) return known
    if (!waited) this.#missed(key)
    const why = error instanceof Error && error.message !== '' ? error.message : String(error)
    throw new TidemarkError(
      'source-unavailable',
      `The source of ${key.name} cannot answer (${why}), and nothing is cached for ${key.id}.`,
      { cause: error, data: { name: key.name, key: key.id, source: this.#source.name } },
    )
  }

  /** What a tier has, as long as it may be handed out. */
  async #known(
    key: Key,
    reason: 'source-slow' | 'source-unavailable',
    error: unknown,
    waited: boolean,
  ): Promise<Reading<V> | undefined> {
    const { stack, clock, hub } = this.#context
    if (this.#context.isStrict) await stack.check()
    const found = await stack.read(key, (entry) => judge(entry, clock.now()) === 'fresh')
    if (!found || judge(found.entry, clock.now()) === 'expired') return undefined
    const { entry, tier } = found
    this.#counters.fallbacks++
    if (!waited) {
      this.#counters.hit(tier, true)
      if (hub.isHeard) hub.emit({ type: 'hit', name: key.name, key: key.id, tier, state: 'stale' })
    }
    const reading = this.#reading(entry, 'stale', reason, tier)
    return { ...reading, warning: this.#warningOf(entry), ...(error === undefined ? undefined : { error }) }
  }

  #warningOf(entry: Entry): ReadingWarning {
    const now = this.#context.clock.now()
    // Also one from the future: a clock was stepped, and how old it is nobody knows.
    if (judge(entry, now) !== 'fresh') return 'last-resort'
    const { warnAfterMs = (entry.freshUntil - entry.loadedAt) / 2 } = this.#settings
    return now >= entry.loadedAt + warnAfterMs ? 'aging' : 'cached'
  }

  /** For a probe or a warm-up: nobody waits for it. */
  async #reload(input: K, key: Key, since: number): Promise<unknown> {
    if (this.#context.isClosed) return undefined
    const stored = await this.#context.stack.get(key)
    if (stored && stored.loadedAt >= since) return undefined
    return this.#loading.ask(input, key.id, stored)
  }

  #missed(key: Key): void {
    this.#counters.misses++
    if (this.#context.hub.isHeard) this.#context.hub.emit({ type: 'miss', name: key.name, key: key.id })
  }

  #reading(entry: Entry, state: 'fresh' | 'stale', reason: Reading<V>['reason'], tier: string): Reading<V> {
    return {
      value: this.#context.handout.out(entry.value as V),
      state,
      reason,
      tier,
      age: Math.max(0, this.#context.clock.now() - entry.loadedAt),
      loadedAt: entry.loadedAt,
      revision: entry.revision,
    }
  }
}

/** The source of a resource that shares none. */
export function ownSource(name: string, context: Context): Source {
  return new Source(name, resolveSource({}), context)
}

/** The settings with a loader that asks through the source: in its turn, and with what comes of it noted. */
export function askedThrough<K, V>(source: Source, settings: ResourceSettings<K, V>): ResourceSettings<K, V> {
  const { load, softMs } = settings
  return { ...settings, load: (key, context) => source.run(() => load(key, context), context.signal, softMs) }
}
