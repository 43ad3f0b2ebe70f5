import type { Remote } from './remote.ts'
import type { StageClock } from './stage-clock.ts'

/** What a library may not have at all; a scenario that uses it cannot be expressed there. */
export type Feature =
  | 'set'
  | 'delete'
  | 'clear'
  | 'tags'
  | 'tags on load'
  | 'second tier'
  | 'memory in front of it'
  | 'stale if error'
  | 'background refresh'
  | 'load deadline'
  | 'counts'
  | 'counts of all tiers'
  | 'lifetimes in milliseconds'

/** What a scenario asks of a cache. Each adapter turns it into what its library's documentation recommends for it. */
export interface Needs {
  readonly load: (key: string) => Promise<unknown>
  /** How long a value is fresh. Defaults to a minute. */
  readonly ttlMs?: number
  /** How long after that it may still be handed out: while a load runs behind it, or because the source fails. */
  readonly staleMs?: number
  /** The stale value is wanted at once and the load behind it; without it only when the source fails. */
  readonly refreshes?: boolean
  readonly loadTimeoutMs?: number
  readonly tags?: (key: string) => string[]
  /** The tier behind memory. */
  readonly remote?: Remote
  /** The tier may hang or refuse: what the library has against that is to be on. */
  readonly mayFail?: boolean
  /** Other instances use the same tier at the same time. */
  readonly isShared?: boolean
  /** Values are more than JSON holds. */
  readonly isRich?: boolean
  /** Readers must not be able to change each other's values. */
  readonly isIsolated?: boolean
  /** Names the data; two names in one tier are two caches. Defaults to `things`. */
  readonly name?: string
  /** For libraries that take a clock. */
  readonly clock?: StageClock
}

/** A cache as the scenarios see it. */
export interface Cache {
  /** The value, loaded where it is missing or stale. */
  readonly get: (key: string) => Promise<unknown>
  readonly set: (key: string, value: unknown) => Promise<unknown>
  readonly delete: (key: string) => Promise<unknown>
  readonly clear: () => Promise<unknown>
  readonly invalidateTag: (tag: string) => Promise<unknown>
  readonly counts: () => Promise<Counts> | Counts
  readonly close: () => Promise<unknown> | void
}

/** How many reads were answered by the cache, and how many were not. */
export interface Counts {
  readonly hits: number
  readonly misses: number
}

/** One library. */
export interface Peer {
  /** The package, as it is installed. */
  readonly name: string
  /** How it is set up, for the page. */
  readonly setup: string
  /** What it does not have, and what it has in its place. */
  readonly lacks: Readonly<Partial<Record<Feature, string>>>
  /** What a reader should know of single outcomes, by the scenario's name: how one holds, or why one fails although an option is set. */
  readonly notes?: Readonly<Record<string, string>>
  /** The shortest lifetime it can be given. Defaults to 1. */
  readonly tickMs?: number
  readonly open: (needs: Needs) => Promise<Cache> | Cache
}

/** Stands for a method of a feature that is listed as lacking. */
export function lacking(): never {
  throw new Error('A scenario used a feature without naming it.')
}
