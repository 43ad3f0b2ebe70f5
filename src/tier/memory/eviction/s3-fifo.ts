import type { Eviction } from './eviction.ts'
import { Ghost } from './ghost.ts'
import { Queues, copyInto } from './queues.ts'

const SMALL = 0
const MAIN = 1
/** The share of rows that newcomers live in until they are read again. */
const SMALL_SHARE = 0.1
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
  #hashes = new Uint32Array(0)

  add(row: number, hash: number): void {
    this.#used[row] = 0
    this.#hashes[row] = hash
    this.#queues.push(this.#ghost.take(hash) ? MAIN : SMALL, row)
  }

  hit(row: number): void {
    const used = this.#used[row] as number
    if (used < USED_MAX) this.#used[row] = used + 1
  }

  remove(row: number): void {
    this.#queues.remove(row)
  }

  evict(): number {
    const queues = this.#queues
    for (;;) {
      const rows = queues.size(SMALL) + queues.size(MAIN)
      if (rows === 0) return -1
      const fromSmall = queues.size(MAIN) === 0 || queues.size(SMALL) > rows * SMALL_SHARE
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

  grow(rows: number): void {
    this.#queues.grow(rows)
    this.#used = copyInto(new Uint8Array(rows), this.#used)
    this.#hashes = copyInto(new Uint32Array(rows), this.#hashes)
    this.#ghost.grow(rows)
  }
}
