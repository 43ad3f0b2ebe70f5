import {
  createTidemark,
  immutable,
  isTidemarkError,
  ttl,
  type Resource,
  type Tidemark,
  type TierStatus,
} from 'tidemark'
import type { Oracle, Versioned } from './oracle.ts'
import type { Line, Place } from './stacks.ts'
import type { SourceState } from './steps.ts'
import type { VirtualTime } from './virtual-time.ts'

/** How long values are fresh, and what may be handed out after that. */
export const TTL_MS = 2_000
export const STALE_WHILE_REVALIDATE_MS = 1_000
export const STALE_IF_ERROR_MS = 4_000
const HARD_MS = 3_000
const SOFT_MS = 100

/** The source of a process is out of order; what a loader throws. */
export class SourceDown extends Error {
  override readonly name = 'SourceDown'
}

/** A load that waits to be told how it ends. */
export interface HeldLoad {
  readonly end: (fails: boolean) => void
}

/** What the processes of a run have in common. */
export interface Common {
  readonly place: Place
  readonly time: VirtualTime
  readonly oracle: Oracle
  readonly coherence: 'strict' | 'eventual'
  /** Loads that wait, of all processes, oldest first. */
  readonly held: HeldLoad[]
}

/** One process: a cache of its own over what all share, in whatever trouble. */
export class Process {
  readonly index: number
  readonly #common: Common
  /** How its source answers. */
  source: SourceState = 'up'
  tide!: Tidemark
  users!: Resource<string, Versioned>
  waves!: Resource<readonly [string, number], Versioned>
  lines: readonly Line[] = []
  /** It is being closed: calls that have not resolved may be refused. */
  isClosing = false
  /** Reads of users since it was started. */
  reads = 0
  /** Eras that ended in it, by scope. */
  readonly eras = new Map<string, number>()
  /** Tiers that failed since all was well. */
  readonly failedTiers = new Set<string>()
  /** Since when nothing has kept it from hearing of the others. */
  #hearsSince: number | undefined

  constructor(index: number, common: Common) {
    this.index = index
    this.#common = common
    this.start()
  }

  /** Starts it, also after it was closed: its memory and its journals are empty. */
  start(): void {
    const { place, time, oracle, coherence, held } = this.#common
    const { tiers, lines } = place.open()
    this.lines = lines
    this.isClosing = false
    this.reads = 0
    this.#hearsSince = time.clock.now()
    this.tide = createTidemark({ tiers, coherence, clock: time.clock })
    this.tide.on('event', (event) => {
      if (event.type === 'tier-failed') this.failedTiers.add(event.tier)
      if (event.type === 'era') this.eras.set(event.scope, (this.eras.get(event.scope) ?? 0) + 1)
    })
    this.users = this.tide.resource<string, Versioned>({
      name: 'users',
      load: (key, { signal }) => {
        const value = oracle.valueOf(key)
        if (this.source === 'up') return value
        if (this.source === 'down') throw new SourceDown()
        const { promise, resolve, reject } = Promise.withResolvers<Versioned>()
        if (this.source === 'held') held.push({ end: (fails) => (fails ? reject(new SourceDown()) : resolve(value)) })
        signal.addEventListener('abort', () => reject(new SourceDown()))
        return promise
      },
      freshness: ttl(TTL_MS),
      staleWhileRevalidate: STALE_WHILE_REVALIDATE_MS,
      staleIfError: STALE_IF_ERROR_MS,
      timeout: { soft: SOFT_MS, hard: HARD_MS },
      scope: scopeOf,
      tags: (key, value) => [tagOf(key), `parity ${value.version % 2}`],
    })
    this.waves = this.tide.resource<readonly [string, number], Versioned>({
      name: 'waves',
      load: ([unit]) => oracle.valueOf(unit),
      era: this.tide.era('era'),
      scope: ([unit]) => unit,
      freshness: immutable({ identity: ({ version }) => [version] }),
    })
  }

  /** What its tiers say of themselves, as of now. */
  async statuses(): Promise<TierStatus[]> {
    return this.tide.tiers()
  }

  /** Notes whether it can hear of the others now. To be called after every step. */
  observe(statuses: readonly TierStatus[], areLinesWell: boolean): void {
    const isWell = areLinesWell && statuses.every(({ state }) => state === 'up')
    if (isWell) {
      this.#hearsSince ??= this.#common.time.clock.now()
      this.failedTiers.clear()
    } else this.#hearsSince = undefined
  }

  get hearsSince(): number | undefined {
    return this.#hearsSince
  }
}

/** True when every tier has been told everything. */
export function hasToldAll(statuses: readonly TierStatus[]): boolean {
  return statuses.every(({ journal }) => journal.items === 0 && !journal.overflowed)
}

/** True for what a reader may be told when the source does not answer. */
export function isSourceFailure(error: unknown): boolean {
  return error instanceof SourceDown || isTidemarkError(error, 'load-timeout')
}

/** The scope of a key. */
export function scopeOf(key: string): string {
  return `scope of ${key < 'c' ? 'a and b' : 'c and d'}`
}

/** The tag of a key. */
export function tagOf(key: string): string {
  return `tag of ${key === 'a' || key === 'c' ? 'a and c' : 'b and d'}`
}
