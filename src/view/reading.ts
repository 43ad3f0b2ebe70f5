import type { StaleReason } from '../load/serve.ts'

/**
 * What a read was answered with: `hit`: nothing has moved; `partial`: sections that had moved were rebuilt, the others kept;
 * `stale`: the last snapshot, because what moved is being rebuilt, or because the source could not be asked; `miss`: the
 * reader waited for a build.
 */
export type ViewStatus = 'hit' | 'partial' | 'stale' | 'miss'

/** One section of a snapshot. */
export interface SectionReading {
  /** The revision it was built from. */
  readonly revision: string
  /** When it was built, milliseconds since 1970. */
  readonly builtAt: number
  /** Milliseconds since it was built. */
  readonly age: number
  /**
   * `same`: it had not moved; `rebuilt`: it was built for this reader, or while it waited; `moved`: it has moved, and this is
   * how it was before; `unknown`: nobody could say.
   */
  readonly state: 'same' | 'rebuilt' | 'moved' | 'unknown'
}

/** A snapshot with what is known about it. */
export interface ViewReading<V> {
  readonly value: V
  readonly status: ViewStatus
  /**
   * Why: `hit`; `loaded`: it was built; `revalidating`: what moved is being rebuilt behind the reader; `source-slow`: the
   * revisions, or a section rebuilt `now`, took longer than `timeout.soft`; `source-unavailable`: they failed, or the
   * last build failed and the source is left alone for a while.
   */
  readonly reason: 'hit' | 'loaded' | StaleReason
  /** The combined revision of the snapshot; `unknown` when nobody could say whether it still holds. */
  readonly revision: string
  /**
   * The snapshot as a weak entity tag: its combined revision, and what was built from it, for a revision need not see every
   * change. The same in all processes that hold the same. Also of a snapshot whose revision is `unknown`: it names what it
   * was built from.
   */
  readonly etag: string
  /** Milliseconds since the oldest of its sections was built. */
  readonly age: number
  /** How long it may have been out of date at most, in milliseconds; 0 unless it is `stale`. */
  readonly staleFor: number
  /** When its newest section was built, milliseconds since 1970. */
  readonly builtAt: number
  readonly sections: Readonly<Record<string, SectionReading>>
  /** Why the source could not answer, when it could not; also of the last build behind readers that failed. */
  readonly error?: unknown
}

/** The revisions of the sources as they are now. */
export interface ViewRevisions {
  /** Of all sections together: what a snapshot built now would have. */
  readonly combined: string
  readonly sections: Readonly<Record<string, string>>
}
