import type { Eviction } from './eviction.ts'
import { Ghost } from './ghost.ts'
import { Queues, copyInto } from './queues.ts'

const SMALL = 0
const MAIN = 1
/** The share of rows that newcomers live in until they are read again. */
const SMALL_SHARE = 0.1
/** But never fewer than these: in a tiny cache a tenth is gone before anything can be read again. */
const SMALL_ROWS_MIN = 32
const SMALL_SHARE_MAX = 0.8
const USED_MAX = 3

/**
 * S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023), promoting a newcomer that was
 * read once more. Newcomers wait in a small queue; those never read again leave quickly, so one scan cannot flush what
 * is in use; a key that comes back soon after it left goes straight to the main queue. A read only counts, it moves nothing.
 */
export class S3Fifo implements Eviction {
  readonly #queues = new Queues(2)
  readonly #ghost = new Ghost()
  #used = new Uint8Array(0)
  #hashes: Uint32Array = new Uint32Array(0)
  /** The row that came last, not queued yet: room for it is made among the others, as if it came afterwards; or -1. */
  #newcomer = -1

  add(row: number): void {
    this.#queueNewcomer()
    this.#used[row] = 0
    this.#newcomer = row
  }

  hit(row: number): void {
    const used = this.#used[row] as number
    if (used < USED_MAX) this.#used[row] = used + 1
  }

  remove(row: number): void {
    if (row === this.#newcomer) this.#newcomer = -1
    else this.#queues.remove(row)
  }

  evict(): number {
    const queues = this.#queues
    for (;;) {
      const rows = queues.size(SMALL) + queues.size(MAIN)
      if (rows === 0) return this.#takeNewcomer()
      const fromSmall =
        queues.size(MAIN) === 0 ||
        queues.size(SMALL) > Math.max(rows * SMALL_SHARE, Math.min(SMALL_ROWS_MIN, rows * SMALL_SHARE_MAX))
      const row = queues.shift(fromSmall ? SMALL : MAIN)
      const used = this.#used[row] as number
      if (used === 0) {
        if (fromSmall) this.#ghost.add(this.#hashes[row] as number, rows)
        return row
      }
      // Second chances end: each pass takes one off, and a row in main needs at most three.
      this.#used[row] = fromSmall ? 0 : used - 1
      queues.push(MAIN, row)
    }
  }

  grow(rows: number, hashes: Uint32Array): void {
    this.#queues.grow(rows)
    this.#used = copyInto(new Uint8Array(rows), this.#used)
    this.#hashes = hashes
    this.#ghost.grow(rows)
  }

  #queueNewcomer(): void {
    const row = this.#takeNewcomer()
    if (row !== -1) this.#queues.push(this.#ghost.take(this.#hashes[row] as number) ? MAIN : SMALL, row)
  }

  #takeNewcomer(): number {
    const row = this.#newcomer
    this.#newcomer = -1
    return row
  }
}
