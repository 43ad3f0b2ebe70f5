import {
  LINE_END,
  HEAD_BYTES,
  beginEntry,
  completeEntry,
  newHead,
  putChecksum,
  recordText,
  type LineHead,
} from './line.ts'

/** An entry that can be written as a line. */
export interface Writable {
  /** Its numbers, but for those that are known only when it is written. */
  number(head: LineHead): void
  /** What the line says besides its numbers and its value. */
  body(): string
  /** Its value as JSON. */
  text(): string
}

/** A line that is no entry's, before it has a writer and a checksum. */
export interface NewRecord {
  readonly op: string
  readonly [field: string]: unknown
}

const KEPT_BYTES = 1024 * 1024

/** Lines that are written at once: collected in one buffer, so that one call of the system takes them all. */
export class Batch {
  readonly #mark: string
  /** One for all lines. */
  readonly #head: LineHead = newHead()
  #buffer = Buffer.allocUnsafeSlow(64 * 1024)
  #length = 0
  #lines = 0

  constructor(mark: string) {
    this.#mark = mark
  }

  /** How many lines of which an outcome is expected. */
  get lines(): number {
    return this.#lines
  }

  get buffer(): Buffer {
    return this.#buffer
  }

  get length(): number {
    return this.#length
  }

  /** Ends a line that somebody left without its end, so that ours is not glued to it. */
  newline(): void {
    this.#append('\n')
  }

  entry(entry: Writable, hash: number, seen: number): void {
    const at = this.#length
    const head = this.#head
    this.#reserve(HEAD_BYTES)
    this.#length += beginEntry(this.#buffer, at, this.#mark)
    this.#append(entry.body())
    // By itself: joining it with the rest would copy it once more.
    this.#append(entry.text())
    this.#append(LINE_END)
    entry.number(head)
    head.size = this.#length - at
    head.hash = hash
    head.seen = seen
    completeEntry(this.#buffer, at, head)
    this.#lines++
  }

  /** A line whose outcome is told to its writer. */
  record(record: NewRecord): void {
    this.note(record)
    this.#lines++
  }

  /** A line that has no outcome. */
  note(record: NewRecord): void {
    const at = this.#length
    const size = this.#append(recordText({ ...record, by: this.#mark }))
    putChecksum(this.#buffer, at, size)
  }

  clear(): void {
    this.#length = 0
    this.#lines = 0
    if (this.#buffer.byteLength > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(KEPT_BYTES)
  }

  #append(text: string): number {
    this.#reserve(text.length * 3)
    const written = this.#buffer.write(text, this.#length, 'utf8')
    this.#length += written
    return written
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.byteLength) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.byteLength * 2))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
