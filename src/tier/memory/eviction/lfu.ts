import type { Eviction } from './eviction.ts'
import { Queues } from './queues.ts'
import { Sketch } from './sketch.ts'

const WINDOW = 0
const PROBATION = 1
const PROTECTED = 2
const WINDOW_SHARE = 0.2
const PROTECTED_SHARE = 0.8

/**
 * W-TinyLFU (Einziger, Friedman, Manes, "TinyLFU: a highly efficient cache admission policy", 2017) with a window of 20 %:
 * newcomers live in an LRU window; who leaves it stays only if it was seen more often lately than the main area's victim.
 */
export class Lfu implements Eviction {
  readonly #queues = new Queues(3)
  readonly #sketch = new Sketch()
  #hashes: Uint32Array = new Uint32Array(0)

  add(row: number): void {
    this.#sketch.seen(this.#hashes[row] as number)
    this.#queues.push(WINDOW, row)
  }

  hit(row: number): void {
    const queues = this.#queues
    this.#sketch.seen(this.#hashes[row] as number)
    if (queues.queueOf(row) !== PROBATION) return queues.move(queues.queueOf(row), row)
    queues.move(PROTECTED, row)
    const main = queues.size(PROBATION) + queues.size(PROTECTED)
    if (queues.size(PROTECTED) > main * PROTECTED_SHARE) queues.move(PROBATION, queues.oldest(PROTECTED))
  }

  remove(row: number): void {
    this.#queues.remove(row)
  }

  evict(): number {
    const queues = this.#queues
    const rows = queues.size(WINDOW) + queues.size(PROBATION) + queues.size(PROTECTED)
    if (rows === 0) return -1
    const windowMax = Math.max(1, Math.floor(rows * WINDOW_SHARE))
    // While the main area is filling, the window hands over without a contest.
    while (queues.size(WINDOW) > windowMax + 1) queues.move(PROBATION, queues.oldest(WINDOW))
    const victim = queues.size(PROBATION) > 0 ? queues.oldest(PROBATION) : queues.oldest(PROTECTED)
    if (victim === -1) return queues.shift(WINDOW)
    if (queues.size(WINDOW) <= windowMax) return this.#leave(victim)
    const candidate = queues.oldest(WINDOW)
    const admitted = this.#frequency(candidate) > this.#frequency(victim)
    if (!admitted) return this.#leave(candidate)
    queues.move(PROBATION, candidate)
    return this.#leave(victim)
  }

  grow(rows: number, hashes: Uint32Array): void {
    this.#queues.grow(rows)
    this.#hashes = hashes
    this.#sketch.grow(rows)
  }

  #frequency(row: number): number {
    return this.#sketch.estimate(this.#hashes[row] as number)
  }

  #leave(row: number): number {
    this.#queues.remove(row)
    return row
  }
}
