/** A few queues over the same rows; each row lies in at most one. Doubly linked in typed arrays: no allocation per row. */
export class Queues {
  #next = new Int32Array(0)
  #previous = new Int32Array(0)
  #queueOf = new Int8Array(0)
  // Per queue: the row that came last (newest) and the one that is next to leave (oldest); -1 when empty.
  readonly #newest: Int32Array
  readonly #oldest: Int32Array
  readonly #sizes: Int32Array

  constructor(count: number) {
    this.#newest = new Int32Array(count).fill(-1)
    this.#oldest = new Int32Array(count).fill(-1)
    this.#sizes = new Int32Array(count)
  }

  size(queue: number): number {
    return this.#sizes[queue] as number
  }

  /** The row that is next to leave a queue, or -1. */
  oldest(queue: number): number {
    return this.#oldest[queue] as number
  }

  /** The queue a row lies in, or -1. */
  queueOf(row: number): number {
    return this.#queueOf[row] as number
  }

  push(queue: number, row: number): void {
    const newest = this.#newest[queue] as number
    this.#next[row] = -1
    this.#previous[row] = newest
    if (newest === -1) this.#oldest[queue] = row
    else this.#next[newest] = row
    this.#newest[queue] = row
    this.#queueOf[row] = queue
    this.#sizes[queue] = this.size(queue) + 1
  }

  remove(row: number): void {
    const queue = this.queueOf(row)
    if (queue === -1) return
    const next = this.#next[row] as number
    const previous = this.#previous[row] as number
    if (next === -1) this.#newest[queue] = previous
    else this.#previous[next] = previous
    if (previous === -1) this.#oldest[queue] = next
    else this.#next[previous] = next
    this.#queueOf[row] = -1
    this.#sizes[queue] = this.size(queue) - 1
  }

  /** Takes the oldest row out of a queue; -1 when it is empty. */
  shift(queue: number): number {
    const row = this.oldest(queue)
    if (row !== -1) this.remove(row)
    return row
  }

  move(queue: number, row: number): void {
    this.remove(row)
    this.push(queue, row)
  }

  grow(rows: number): void {
    const from = this.#queueOf.length
    this.#next = copyInto(new Int32Array(rows), this.#next)
    this.#previous = copyInto(new Int32Array(rows), this.#previous)
    this.#queueOf = copyInto(new Int8Array(rows), this.#queueOf).fill(-1, from)
  }
}

/** The larger array with the smaller one's content at its start. */
export function copyInto<A extends Int32Array | Int8Array | Uint8Array | Uint32Array | Float64Array>(
  larger: A,
  smaller: A,
): A {
  larger.set(smaller)
  return larger
}
