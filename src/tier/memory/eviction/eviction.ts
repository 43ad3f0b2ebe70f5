// What decides who leaves a full memory tier. Policies see row numbers of the table, never keys or values.

/** The names of the eviction policies there are. */
export const EVICTIONS = ['s3-fifo', 'lru', 'fifo', 'lfu'] as const

/** One of {@link EVICTIONS}. */
export type EvictionName = (typeof EVICTIONS)[number]

/** One eviction policy over the rows of a table. */
export interface Eviction {
  /** A new row. */
  add(row: number): void
  /** The row was read. On the hot path: flat, no allocation. */
  hit(row: number): void
  /** The row left for another reason than this policy's choice. */
  remove(row: number): void
  /** Chooses the row to leave next and forgets it; -1 when there is none. */
  evict(): number
  /** The table grew to so many rows; `hashes` are those of its keys by row, the same when a key comes back later. */
  grow(rows: number, hashes: Uint32Array): void
}
