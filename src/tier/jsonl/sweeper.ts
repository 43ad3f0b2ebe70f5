import { IN_FILE, valueAt, valueOf, type FileReference } from './value-text.ts'
import type { ValueFiles } from '../value-files.ts'
import type { LineReader } from './line-reader.ts'
import type { Replica } from './replica.ts'
import { SLICE_MS } from './slice.ts'

const CLOCK_EVERY = 1_024
const FILES_EVERY = 64

/**
 * Drops rows that are past their time, and files of values that no row names; one short slice a call. Nothing is written:
 * every process knows the times itself, and compaction leaves such lines behind.
 */
export class Sweeper {
  readonly #replica: Replica
  readonly #reader: LineReader
  readonly #files: ValueFiles
  readonly #report: (name: string, count: number) => void
  #cursor = 0
  #slices = 0

  constructor(replica: Replica, reader: LineReader, files: ValueFiles, report: (name: string, count: number) => void) {
    this.#replica = replica
    this.#reader = reader
    this.#files = files
    this.#report = report
  }

  sweep(now: number, limit: number): number {
    const { catalog } = this.#replica
    const { table } = catalog
    const counts = new Map<string, number>()
    const endAt = performance.now() + SLICE_MS
    let dropped = 0
    for (let left = table.used; left > 0 && dropped < limit; left--) {
      if (this.#cursor >= table.used) this.#cursor = 0
      const row = this.#cursor++
      const group = table.group[row]
      if (left % CLOCK_EVERY === 0 && performance.now() > endAt) break
      if (group === undefined || now < (table.keepUntil[row] as number)) continue
      counts.set(group.name, (counts.get(group.name) ?? 0) + 1)
      catalog.remove(row)
      dropped++
    }
    for (const [name, count] of counts) this.#report(name, count)
    if (++this.#slices % FILES_EVERY === 0) this.#collectFiles(limit)
    return dropped
  }

  #collectFiles(limit: number): void {
    let named: Set<string> | undefined
    this.#files.collect((name) => (named ??= this.#named()).has(name), limit)
  }

  /** The files of values that rows name. */
  #named(): Set<string> {
    const { table } = this.#replica.catalog
    const names = new Set<string>()
    for (let row = 0; row < table.used; row++) {
      if (table.group[row] === undefined || (table.format[row] as number) < IN_FILE) continue
      const line = this.#reader.line(row)
      const shape = {
        size: table.size[row] as number,
        bytes: table.bytes[row] as number,
        format: table.format[row] as number,
      }
      if (line) names.add((valueOf(line, 0, valueAt(shape), shape) as FileReference).file)
    }
    return names
  }
}
