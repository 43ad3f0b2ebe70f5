/**
 * Why a reading is what it is: `hit`: a tier had it fresh; `loaded`: the source was asked; `revalidating`: stale, a load
 * runs behind it; `source-slow`: stale, the load takes longer than `timeout.soft`; `source-unavailable`: stale, the load
 * failed, or a load failed lately and the source is left alone for a while.
 */
export type ReadingReason = 'hit' | 'loaded' | 'revalidating' | 'source-slow' | 'source-unavailable'

/**
 * How much a value that was handed out in place of the source's answer (`strategy: 'source-first'`) should be doubted:
 * `cached`: it is from the cache; `aging`: it is older than `warnAfter`; `last-resort`: it is no longer fresh.
 */
export type ReadingWarning = 'cached' | 'aging' | 'last-resort'

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
  /**
   * With `revisioned`: the revision that was read before it was loaded; `unknown` when nobody could say whether it still
   * holds. Else `undefined`.
   */
  readonly revision: string | undefined
  /** Why the source could not answer, when it could not. */
  readonly error?: unknown
  /** With `strategy: 'source-first'`, when it was not the source that answered. */
  readonly warning?: ReadingWarning
}

/** What a loader gets besides the key. */
export interface LoadContext {
  /** Aborted at the hard timeout and when the cache is closed. */
  readonly signal: AbortSignal
  /**
   * The value stored until now, if there is one: for conditional requests. `unknown`, so that the type of the values comes
   * from what the loader returns.
   */
  readonly stale: unknown
  /** Tells listeners how far a long load has come (event `progress`). */
  readonly progress: (done: number, total: number) => void
}
