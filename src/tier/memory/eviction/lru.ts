import type { Eviction } from './eviction.ts'
import { Queues } from './queues.ts'

/** Least recently used: every read moves its row to the end. */
export class Lru implements Eviction {
  readonly #queue = new Queues(1)

  add(row: number): void {
    this.#queue.push(0, row)
  }

  hit(row: number): void {
    this.#queue.move(0, row)
  }

  remove(row: number): void {
    this.#queue.remove(row)
  }

  evict(): number {
    return this.#queue.shift(0)
  }

  grow(rows: number): void {
    this.#queue.grow(rows)
  }
}
