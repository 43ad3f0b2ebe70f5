import { Artifacts } from '../artifact/artifacts.ts'
import type { ArtifactOptions } from '../artifact/options.ts'
import { Handout } from '../codec/handout.ts'
import { Collection } from '../collection/collection.ts'
import type { CollectionOptions } from '../collection/options.ts'
import { Era } from '../era/era.ts'
import { invalidOption } from '../errors.ts'
import { Context } from '../load/context.ts'
import type { NameStats } from '../observe/counters.ts'
import type { EventListener } from '../observe/event.ts'
import { Hub } from '../observe/hub.ts'
import type { ResourceOptions } from '../resource/options.ts'
import { Resource } from '../resource/resource.ts'
import { keyringRequired } from '../seal/places.ts'
import { rekeyTiers, type RekeyReport } from '../seal/rekey.ts'
import { SealedTier, sealedIfExposed } from '../seal/sealed-tier.ts'
import { Sealer } from '../seal/sealer.ts'
import { within } from '../stack/deadline.ts'
import { Notes } from '../stack/notes.ts'
import { Remembering } from '../stack/remembering.ts'
import { resolveSource, type SourceOptions } from '../source/outage/options.ts'
import { Source } from '../source/outage/source.ts'
import { Stack } from '../stack/stack.ts'
import type { TierStatus } from '../stack/status.ts'
import { isPromise, type Tier } from '../tier/tier.ts'
import type { ViewOptions } from '../view/options.ts'
import { View } from '../view/view.ts'
import { exportLines, type ExportOptions } from './export.ts'
import { Import, type ImportReport } from './import.ts'
import type { LineSource } from './lines.ts'
import { sweepRegularly } from './maintenance.ts'
import { calmStatus, closeQuietly, openTier, type OpenTier } from './open-tier.ts'
import { resolveTidemark, type TidemarkOptions, type TidemarkSettings } from './options.ts'
import { Admission } from './admission.ts'
import { Reporter } from './reporter.ts'
import { Scope } from './scope.ts'
import { WriteHook, type WriteHookOptions } from './write-hook.ts'

/** A slice of a rekey takes milliseconds; one that takes so long will never end. */
const REKEY_SLICE_MS = 60_000

/** The counts of a cache. */
export interface TidemarkStats {
  readonly names: Readonly<Record<string, NameStats>>
  /** Loads in progress now. */
  readonly loading: number
}

/**
 * A cache: tiers, and the resources and collections that live in them.
 * Errors: `invalid-option`, `unknown-option`, `invalid-duration`, `tier-foreign`, `tier-newer`.
 *
 * @example
 * await using tide = createTidemark({ tiers: [memory(), sqlite({ path: 'data/cache.db' })] })
 * const status = tide.resource({ name: 'status', load: (unit: string) => askUnit(unit), freshness: ttl('30s') })
 */
export function createTidemark(options: TidemarkOptions = {}): Tidemark {
  return new Tidemark(resolveTidemark(options))
}

/** See {@link createTidemark}. */
export class Tidemark implements AsyncDisposable {
  readonly #context: Context
  readonly #hub = new Hub()
  readonly #tiers: readonly OpenTier[]
  readonly #eras = new Map<string, Era>()
  readonly #artifacts: Pick<Artifacts<never, never>, 'close'>[] = []
  readonly #views: Pick<View<object, unknown>, 'written'>[] = []
  readonly #stopSweeping: () => void
  #closing: Promise<void> | undefined

  /** Use {@link createTidemark}. */
  constructor(settings: TidemarkSettings) {
    const { clock } = settings
    const handout = new Handout(settings.handout)
    const sealer = new Sealer(settings.keyring, (wear) => this.#hub.emit({ type: 'key-worn', ...wear }))
    const exposed = settings.tiers.map(({ tier }) => sealedIfExposed(tier, sealer))
    const reporters = settings.tiers.map(
      ({ tier }, i) => new Reporter(clock, this.#hub, tier, i === settings.tiers.length - 1),
    )
    try {
      this.#tiers = settings.tiers.map(({ guard }, i) =>
        openTier(exposed[i] as Tier, guard, i === 0, reporters[i] as Reporter),
      )
    } catch (error) {
      // One that is refused must not leave the files of the others open.
      for (const { tier } of settings.tiers) void closeQuietly(tier)
      throw error
    }
    const notes = new Notes(this.#tiers.flatMap(({ guard }) => (guard && !guard.isDisabled ? [guard] : [])))
    const stack = new Stack(
      this.#tiers.map(({ tier, guard }) => {
        if (!guard) return tier
        return notes.canKeep(guard) && !guard.isDisabled ? new Remembering(guard, notes, clock) : guard
      }),
      new Admission(
        handout,
        reporters,
        settings.tiers.map(({ tier }) => tier.name),
      ),
    )
    this.#context = new Context({ stack, hub: this.#hub, clock, handout, sealer, isStrict: settings.isStrict })
    this.#stopSweeping = sweepRegularly(stack, clock)
  }

  /** Values by key, loaded when they are missing or stale. Errors: `invalid-option`, `unknown-option`, `name-taken`, `closed`. */
  resource<K, V>(options: ResourceOptions<K, V>): Resource<K, V> {
    this.#context.refuseIfClosed()
    return new Resource(options, this.#context)
  }

  /** An append-only list, of which only the tail is ever loaded. Errors as for {@link resource}. */
  collection<K, T>(options: CollectionOptions<K, T>): Collection<K, T> {
    this.#context.refuseIfClosed()
    return new Collection(options, this.#context)
  }

  /**
   * Files made from source frames, kept with them, and made anew when the encoder changes. Clearing the cache does not touch
   * them. Errors: `invalid-option`, `unknown-option`, `name-taken`, `closed`.
   */
  artifacts<E, F>(options: ArtifactOptions<E, F>): Artifacts<E, F> {
    this.#context.refuseIfClosed()
    const artifacts = new Artifacts(options, this.#context)
    this.#artifacts.push(artifacts)
    return artifacts
  }

  /**
   * A value built from sections, each as good as its revision: what has moved is rebuilt, the rest is kept. Errors as for
   * {@link resource}.
   */
  view<S extends object, V = S>(options: ViewOptions<S, V>): View<S, V> {
    this.#context.refuseIfClosed()
    const view = new View(options, this.#context)
    this.#views.push(view)
    return view
  }

  /**
   * What hears of committed writes and tells the views, and the tags, that depend on the tables. For `watchWrites` of
   * `tidemark/kysely` and `tidemark/drizzle`, or to be called after a commit. Errors: `invalid-option`, `unknown-option`.
   */
  writeHook(options: WriteHookOptions = {}): WriteHook {
    return new WriteHook(options, {
      views: this.#views,
      isClosed: () => this.#context.isClosed,
      invalidateTag: (tag) => this.invalidateTag(tag),
    })
  }

  /** The era of this name: what ends when keys are used again. The same object each time. */
  era(name: string): Era {
    if (typeof name !== 'string' || name.includes('#')) throw invalidOption('era', "a string without '#'", name)
    let era = this.#eras.get(name)
    if (!era) {
      era = new Era(name, this.#context.stack, this.#hub, () => this.#context.refuseIfClosed())
      this.#eras.set(name, era)
    }
    return era
  }

  /**
   * What several resources with `strategy: 'source-first'` load from: one breaker, one limit, one warm-up for all of them.
   * Errors: `invalid-option`, `unknown-option`, `closed`.
   */
  source(name: string, options: SourceOptions = {}): Source {
    this.#context.refuseIfClosed()
    if (typeof name !== 'string' || name === '') throw invalidOption('source', 'a string', name)
    return new Source(name, resolveSource(options), this.#context)
  }

  /** Everything that belongs to a scope. */
  scope(name: string): Scope {
    if (typeof name !== 'string') throw invalidOption('scope', 'a string', name)
    return new Scope(name, this.#context)
  }

  /** Marks stale what carries the tag, also what is being loaded now. Resolves to how many entries that concerned. */
  async invalidateTag(tag: string): Promise<number> {
    return this.#removeTag(tag, this.#context.clock.now())
  }

  /** Removes what carries the tag from every tier. Resolves to how many entries that were. */
  async deleteTag(tag: string): Promise<number> {
    return this.#removeTag(tag, undefined)
  }

  /** Removes everything from every tier. */
  async clear(): Promise<void> {
    this.#context.refuseIfClosed()
    for (const name of this.#context.names) {
      this.#hub.of(name).evictions.explicit += await this.#context.stack.count({ kind: 'name', name })
    }
    const count = await this.#context.stack.remove({ kind: 'all' })
    this.#hub.emit({ type: 'deleted', count })
  }

  /**
   * Seals everything that is under a previous key under the active one, in every tier, a slice at a time (event `rekey`).
   * Reads and writes go on meanwhile; it may be killed and called again, and run in several processes.
   *
   * @throws `keyring-required`, `closed`, and a tier's error when it cannot be walked
   */
  async rekey(): Promise<RekeyReport> {
    this.#context.refuseIfClosed()
    if (!this.#context.sealer.keyring) throw keyringRequired('The cache')
    return rekeyTiers(this.#inUse(), {
      progress: (tier, done, total) => this.#hub.emit({ type: 'rekey', tier, done, total }),
      bounded: (work, what) => (isPromise(work) ? within(work, REKEY_SLICE_MS, what) : work),
      refuseIfClosed: () => this.#context.refuseIfClosed(),
    })
  }

  /**
   * Everything that is stored, as lines of JSON with a head and an end: values with all their times and groups, secrets
   * sealed. Give it to `pipeline` of `node:stream/promises`, or walk it.
   *
   * @throws `invalid-option`, `unknown-option`; `closed`, `seal-exhausted`, and `tier-unavailable` where a tier fails
   */
  export(options: ExportOptions = {}): AsyncIterable<string> {
    return exportLines(options, this.#context, (tier) => {
      const status = this.#tiers[tier]?.guard?.status
      return status && status.failures.reads > 0 ? status.reason : undefined
    })
  }

  /**
   * Takes in what {@link export} wrote, for the resources and collections that are made by now. Never replaces what is as
   * new or newer.
   *
   * @throws `import-refused` when it does not begin as an export does; `closed`
   */
  async import(source: LineSource): Promise<ImportReport> {
    this.#context.refuseIfClosed()
    return new Import(this.#context, (name) => this.#eras.get(name)).run(source)
  }

  /** Hears all news of the cache. Returns how to stop hearing it. */
  on(type: 'event', listener: EventListener): () => void {
    if (type !== 'event') throw invalidOption('type', "'event'", type)
    if (typeof listener !== 'function') throw invalidOption('listener', 'a function', listener)
    return this.#hub.on(listener)
  }

  /** The counts of every resource and collection. */
  async stats(): Promise<TidemarkStats> {
    const front = this.#tiers[0]?.tier.name ?? ''
    const names = this.#context.names.map((name) => [name, this.#hub.of(name).snapshot(front)] as const)
    return { names: Object.fromEntries(names), loading: this.#context.flying }
  }

  /** The state of every tier, fastest first: why it is out of use, when it is tried again, what it missed. */
  async tiers(): Promise<TierStatus[]> {
    return this.#tiers.map(({ tier, guard }) => guard?.status ?? calmStatus(tier))
  }

  /** Gives up loads in progress, finishes writes, closes every tier. Afterwards every call fails with `closed`. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The tiers that seal, without those that are off. */
  #inUse(): SealedTier[] {
    return this.#tiers.flatMap(({ tier, guard }) =>
      tier instanceof SealedTier && guard?.status.state !== 'disabled' ? [tier] : [],
    )
  }

  async #close(): Promise<void> {
    this.#stopSweeping()
    this.#context.close()
    try {
      await Promise.all(this.#artifacts.map((artifacts) => artifacts.close()))
    } finally {
      await this.#context.stack.close()
    }
  }

  async #removeTag(tag: string, staleAt: number | undefined): Promise<number> {
    this.#context.refuseIfClosed()
    const { stack } = this.#context
    if (staleAt === undefined) {
      for await (const { key } of stack.keys({ kind: 'tag', tag })) {
        if (!key.name.includes('#')) this.#hub.of(key.name).evictions.explicit++
      }
    }
    const count = await stack.remove({ kind: 'tag', tag }, staleAt)
    this.#hub.emit({ type: staleAt === undefined ? 'deleted' : 'invalidated', tag, count })
    return count
  }
}
