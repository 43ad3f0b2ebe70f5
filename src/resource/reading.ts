/**
 * Why a reading is what it is: `hit`: a tier had it fresh; `loaded`: the source was asked; `revalidating`: stale, a load
 * runs behind it; `source-slow`: stale, the load takes longer than `timeout.soft`; `source-unavailable`: stale, the load
 * failed, or a load failed lately and the source is left alone for a while.
 */
export type ReadingReason = 'hit' | 'loaded' | 'revalidating' | 'source-slow' | 'source-unavailable'

/** A value with what is known about it. */
export interface Reading<V> {
  readonly value: V
  readonly state: 'fresh' | 'stale'
  readonly reason: ReadingReason
  /** The tier that answered, or `source`. */
  readonly tier: string
  /** Milliseconds since the value was loaded or set. */
  readonly age: number
  /** When it was loaded or set, milliseconds since 1970. */
  readonly loadedAt: number
  readonly revision: string | undefined
  /** Why the source could not answer, when it could not. */
  readonly error?: unknown
}

/** How one read differs from the others. */
export interface ReadOptions {
  /** Ask the source whatever is cached, and store what it says. */
  readonly refresh?: boolean | undefined
}

/** What a loader gets besides the key. */
export interface LoadContext<V> {
  /** Aborted at the hard timeout and when the cache is closed. */
  readonly signal: AbortSignal
  /** The value stored until now, if there is one: for conditional requests. */
  readonly stale: V | undefined
  /** Tells listeners how far a long load has come (event `progress`). */
  progress(done: number, total: number): void
}
