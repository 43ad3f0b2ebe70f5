import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Contender } from '../rounds.ts'

const BATCHES = 30

/** Writes the rows from the n-th on, at once. */
export type WriteBatch = (from: number) => unknown

/** One way to write many rows at once, with the time of every batch. */
export class Writing implements Contender {
  readonly label: string
  readonly batchesMs: number[] = []
  /** How long the event loop was held up at most, looked at every millisecond. */
  heldMs = 0
  readonly #size: number
  readonly #write: WriteBatch
  #next = 0

  constructor(label: string, size: number, write: WriteBatch) {
    this.label = label
    this.#size = size
    this.#write = write
  }

  async run(): Promise<number> {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    let tookMs = 0
    delay.enable()
    for (let batch = 0; batch < BATCHES; batch++) {
      const startedAt = performance.now()
      await this.#write(this.#next)
      const batchMs = performance.now() - startedAt
      this.batchesMs.push(batchMs)
      tookMs += batchMs
      this.#next += this.#size
      // Between batches the loop turns, or its delay would not be seen.
      await new Promise((resolve) => setImmediate(resolve))
    }
    delay.disable()
    this.heldMs = Math.max(this.heldMs, delay.max / 1e6)
    return (tookMs * 1e6) / (BATCHES * this.#size)
  }
}
