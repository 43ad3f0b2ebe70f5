import type { Group } from './group.ts'

/** "No row": the end of a list. */
export const NONE = -1
/** The file of a row that is not in use: later than any. */
export const NO_FILE = 0x7fff_ffff

const ROWS_FIRST = 1_024

/**
 * The index's rows, a column an array: about 100 bytes a row and nothing for the garbage collector to walk. A row says
 * where an entry's line lies and what is asked without reading it; it never holds a value. Found by the hash of its key.
 */
export class Table {
  hash: Float64Array = new Float64Array(0)
  /** Which file, its id; and where in it. */
  file: Int32Array = new Int32Array(0)
  offset: Float64Array = new Float64Array(0)
  size: Uint32Array = new Uint32Array(0)
  /** Of the encoded value. */
  bytes: Float64Array = new Float64Array(0)
  format: Uint8Array = new Uint8Array(0)
  loadedAt: Float64Array = new Float64Array(0)
  freshUntil: Float64Array = new Float64Array(0)
  keepUntil: Float64Array = new Float64Array(0)
  /** When it was marked stale; 0 for never. */
  staleAt: Float64Array = new Float64Array(0)
  /** 1 when it was read since it came up for eviction. */
  visited: Uint8Array = new Uint8Array(0)
  /** The order of insertion. */
  older: Int32Array = new Int32Array(0)
  newer: Int32Array = new Int32Array(0)
  /** The rows of one group. */
  groupOlder: Int32Array = new Int32Array(0)
  groupNewer: Int32Array = new Int32Array(0)
  readonly group: (Group | undefined)[] = []
  /** Rows that were ever in use: a walk over all ends here. */
  used = 0
  #buckets = new Int32Array(0)
  #free = NONE

  constructor() {
    this.#grow(ROWS_FIRST)
  }

  /** The row of a hash, or {@link NONE}. */
  find(hash: number): number {
    const buckets = this.#buckets
    const mask = buckets.length - 1
    for (let i = bucketOf(hash) & mask; ; i = (i + 1) & mask) {
      const row = (buckets[i] as number) - 1
      if (row === NONE || this.hash[row] === hash) return row
    }
  }

  /** A row for a hash that has none; its columns are the caller's to fill. */
  insert(hash: number): number {
    let row = this.#free
    if (row !== NONE) this.#free = this.newer[row] as number
    else {
      if (this.used === this.hash.length) this.#grow(this.used * 2)
      row = this.used++
    }
    this.hash[row] = hash
    this.staleAt[row] = 0
    this.visited[row] = 0
    this.#place(hash, row)
    return row
  }

  remove(row: number): void {
    this.#takeOut(this.hash[row] as number, row)
    this.hash[row] = Number.NaN
    this.file[row] = NO_FILE
    this.group[row] = undefined
    this.newer[row] = this.#free
    this.#free = row
  }

  #place(hash: number, row: number): void {
    const buckets = this.#buckets
    const mask = buckets.length - 1
    let i = bucketOf(hash) & mask
    while (buckets[i] !== 0) i = (i + 1) & mask
    buckets[i] = row + 1
  }

  /** Closes the gap, so that no search ends too early. */
  #takeOut(hash: number, row: number): void {
    const buckets = this.#buckets
    const mask = buckets.length - 1
    let gap = bucketOf(hash) & mask
    while (buckets[gap] !== row + 1) gap = (gap + 1) & mask
    for (let i = (gap + 1) & mask; buckets[i] !== 0; i = (i + 1) & mask) {
      const home = bucketOf(this.hash[(buckets[i] as number) - 1] as number) & mask
      // It may move into the gap only if its home does not lie between the two.
      if (((i - home) & mask) < ((i - gap) & mask)) continue
      buckets[gap] = buckets[i] as number
      gap = i
    }
    buckets[gap] = 0
  }

  #grow(rows: number): void {
    this.hash = extended(this.hash, new Float64Array(rows))
    this.file = extended(this.file, new Int32Array(rows))
    this.offset = extended(this.offset, new Float64Array(rows))
    this.size = extended(this.size, new Uint32Array(rows))
    this.bytes = extended(this.bytes, new Float64Array(rows))
    this.format = extended(this.format, new Uint8Array(rows))
    this.loadedAt = extended(this.loadedAt, new Float64Array(rows))
    this.freshUntil = extended(this.freshUntil, new Float64Array(rows))
    this.keepUntil = extended(this.keepUntil, new Float64Array(rows))
    this.staleAt = extended(this.staleAt, new Float64Array(rows))
    this.visited = extended(this.visited, new Uint8Array(rows))
    this.older = extended(this.older, new Int32Array(rows))
    this.newer = extended(this.newer, new Int32Array(rows))
    this.groupOlder = extended(this.groupOlder, new Int32Array(rows))
    this.groupNewer = extended(this.groupNewer, new Int32Array(rows))
    this.#buckets = new Int32Array(rows * 2)
    for (let row = 0; row < this.used; row++) {
      const hash = this.hash[row] as number
      if (!Number.isNaN(hash)) this.#place(hash, row)
    }
  }
}

function extended<A extends { set(from: A): void }>(before: A, larger: A): A {
  larger.set(before)
  return larger
}

/** Mixes both halves of the hash: its lower bits are the ones nobody outside can foresee. */
function bucketOf(hash: number): number {
  const h = Math.imul((hash >>> 0) ^ Math.floor(hash / 0x20_0000), 0x85ebca6b)
  return h ^ (h >>> 15)
}
