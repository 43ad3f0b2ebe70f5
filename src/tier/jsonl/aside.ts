import { appendFileSync, statSync, truncateSync } from 'node:fs'

const KEPT_BYTES_MAX = 1024 * 1024
/** Of a longer line only the beginning is kept. */
const LINE_BYTES_MAX = 64 * 1024

/**
 * Lines nobody of us wrote, or that were damaged: kept for whoever wants to look, beside the segments, once compaction
 * throws away the file they stood in. Bounded; the file starts over when it is full.
 */
export class Aside {
  #lines: Buffer[] = []
  #bytes = 0

  keep(line: Buffer): void {
    const kept = Buffer.from(line.subarray(0, LINE_BYTES_MAX))
    if (this.#bytes + kept.byteLength > KEPT_BYTES_MAX) return
    this.#lines.push(kept)
    this.#bytes += kept.byteLength
  }

  /** Nothing of what was read so far counts any more. */
  clear(): void {
    this.#lines = []
    this.#bytes = 0
  }

  /** Writes what was kept to the file at `path`. */
  save(path: string): void {
    if (this.#lines.length === 0) return
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    if (size + this.#bytes > KEPT_BYTES_MAX && size > 0) truncateSync(path)
    appendFileSync(path, Buffer.concat(this.#lines), { mode: 0o600 })
    this.clear()
  }
}
