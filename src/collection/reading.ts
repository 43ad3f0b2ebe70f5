/** Items with what is known about them. */
export interface ListReading<T> {
  readonly value: T[]
  readonly state: 'fresh' | 'stale'
  /** As for a resource: `hit`, `loaded` after asking the source, `revalidating`, `source-slow`, `source-unavailable`. */
  readonly reason: 'hit' | 'loaded' | 'revalidating' | 'source-slow' | 'source-unavailable'
  /** The tier that answered, or `source`. */
  readonly tier: string
  /** Milliseconds since the source was last asked for its count. */
  readonly age: number
  readonly loadedAt: number
  /** How many items this read added, when it asked the source. */
  readonly added?: number
  /** `new` when this read found that the source was erased or holds other things. */
  readonly era?: 'same' | 'new'
  /** Why the source could not answer, when it could not. */
  readonly error?: unknown
}
