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
import { Guard, type TierStatus } from '../stack/guard.ts'
import { Stack } from '../stack/stack.ts'
import type { Tier } from '../tier/tier.ts'
import { sweepRegularly } from './maintenance.ts'
import { resolveTidemark, type TidemarkOptions, type TidemarkSettings } from './options.ts'
import { Reporter } from './reporter.ts'
import { Scope } from './scope.ts'

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
  readonly #tiers: readonly { readonly tier: Tier; readonly guard: Guard | undefined }[]
  readonly #eras = new Map<string, Era>()
  readonly #stopSweeping: () => void
  #closing: Promise<void> | undefined

  /** Use {@link createTidemark}. */
  constructor(settings: TidemarkSettings) {
    const { clock } = settings
    const handout = new Handout(settings.handout)
    const reporters = settings.tiers.map(
      ({ tier }, i) => new Reporter(clock, this.#hub, tier, i === settings.tiers.length - 1),
    )
    this.#tiers = settings.tiers.map(({ tier, guard }, i) => {
      const reporter = reporters[i] as Reporter
      if (i === 0 && tier.front && !guard.disabled) {
        tier.attach?.(reporter)
        return { tier, guard: undefined }
      }
      return { tier, guard: new Guard(tier, guard, reporter) }
    })
    const stack = new Stack(
      this.#tiers.map(({ tier, guard }) => guard ?? tier),
      {
        admit: (entry) => (handout.mode === 'share' ? entry : { ...entry, value: handout.admit(entry.value) }),
        unstorable: (key, name, message) =>
          reporters.find((_, i) => settings.tiers[i]?.tier.name === name)?.skipped(key, message),
      },
      { poll: !settings.isStrict },
    )
    this.#context = new Context({ stack, hub: this.#hub, clock, handout, isStrict: settings.isStrict })
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

  /** The era of this name: what ends when keys are used again. The same object each time. */
  era(name: string): Era {
    if (typeof name !== 'string' || name.includes('#')) throw invalidOption('era', "a string without '#'", name)
    let era = this.#eras.get(name)
    if (!era) this.#eras.set(name, (era = new Era(name, this.#context.stack, this.#hub)))
    return era
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
    const count = await this.#context.stack.remove({ kind: 'all' })
    this.#hub.emit({ type: 'deleted', count })
  }

  /** Hears all news of the cache. Returns how to stop hearing it. */
  on(_type: 'event', listener: EventListener): () => void {
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

  async #close(): Promise<void> {
    this.#stopSweeping()
    this.#context.close()
    await this.#context.stack.close()
  }

  async #removeTag(tag: string, staleAt: number | undefined): Promise<number> {
    this.#context.refuseIfClosed()
    const count = await this.#context.stack.remove({ kind: 'tag', tag }, staleAt)
    this.#hub.emit({ type: staleAt === undefined ? 'deleted' : 'invalidated', tag, count })
    return count
  }
}

/** A tier in memory has nothing that could fail. */
function calmStatus(tier: Tier): TierStatus {
  return {
    tier: tier.name,
    state: 'up',
    reason: '',
    nextProbeAt: undefined,
    failures: { reads: 0, writes: 0 },
    journal: { items: 0, bytes: 0, overflowed: false },
    capabilities: tier.capabilities,
  }
}
