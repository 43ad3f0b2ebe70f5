import type { Eviction } from './eviction.ts'
import { Queues } from './queues.ts'

/** First in, first out: reads change nothing. */
export class Fifo implements Eviction {
  readonly #queue = new Queues(1)

  add(row: number): void {
    this.#queue.push(0, row)
  }

  hit(): void {}

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
