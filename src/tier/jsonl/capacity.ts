import type { Key } from '../../key.ts'
import type { Batch } from './batch.ts'
import type { LineReader } from './line-reader.ts'
import type { PreparedEntry } from './prepare.ts'
import type { Replica } from './replica.ts'
import { NONE } from './table.ts'

/** Limits of a folder; `Infinity` where there is none. */
export interface CapacityLimits {
  readonly maxEntries: number
  readonly maxBytes: number
}

/**
 * Keeps a folder within its limits: the oldest rows leave first, but one that was read since gets a second round. What
 * leaves is written in the same append as what needs its place, so that all processes agree and the limit holds at once.
 */
export class Capacity {
  readonly #limits: CapacityLimits
  readonly #replica: Replica
  readonly #reader: LineReader
  readonly #report: (key: Key) => void
  /** Rows that leave with the next append. */
  readonly #leaving = new Map<number, Key>()

  constructor(limits: CapacityLimits, replica: Replica, reader: LineReader, report: (key: Key) => void) {
    this.#limits = limits
    this.#replica = replica
    this.#reader = reader
    this.#report = report
  }

  visit(row: number): void {
    this.#replica.catalog.table.visited[row] = 1
  }

  /** True when other processes brought more than there is room for. */
  get isExceeded(): boolean {
    const { entries, bytes } = this.#replica.catalog
    return entries > this.#limits.maxEntries || bytes > this.#limits.maxBytes
  }

  /** Adds a line with what has to leave for these entries. */
  makeRoom(batch: Batch, coming: readonly PreparedEntry[]): void {
    const { maxEntries, maxBytes } = this.#limits
    if (maxEntries === Number.POSITIVE_INFINITY && maxBytes === Number.POSITIVE_INFINITY) return
    const { catalog, hash } = this.#replica
    let { entries, bytes } = catalog
    const kept = new Map<number, number>()
    for (const { entry, value } of coming) kept.set(hash.of(entry.key), value.bytes)
    for (const [key, valueBytes] of kept) {
      const row = catalog.table.find(key)
      if (row === NONE) entries++
      bytes += valueBytes - (row === NONE ? 0 : (catalog.table.bytes[row] as number))
    }
    this.#leaving.clear()
    let tries = catalog.entries * 2
    for (let row = catalog.oldest; row !== NONE && tries > 0 && (entries > maxEntries || bytes > maxBytes); tries--) {
      const next = catalog.table.newer[row] as number
      if (catalog.table.visited[row] === 1) catalog.requeue(row)
      else if (!kept.has(catalog.table.hash[row] as number) && !this.#leaving.has(row)) {
        entries--
        bytes -= catalog.table.bytes[row] as number
        this.#leave(row)
      }
      row = next === NONE ? catalog.oldest : next
    }
    const keys = [...this.#leaving.values()].map(({ name, id }) => [name, id])
    if (keys.length > 0) batch.record({ op: 'drop', seen: this.#replica.seen, keys })
  }

  /** After the append: tells what has left. */
  tell(): void {
    for (const key of this.#leaving.values()) this.#report(key)
    this.#leaving.clear()
  }

  #leave(row: number): void {
    const key = this.#reader.meta(row)?.key
    if (key) this.#leaving.set(row, key)
    // Nobody can find a damaged one any more.
    else this.#replica.catalog.remove(row)
  }
}
