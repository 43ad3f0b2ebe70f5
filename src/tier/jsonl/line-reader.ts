import { readSync } from 'node:fs'
import type { Key } from '../../key.ts'
import type { Files } from './files.ts'
import { isIntact, newHead, readHead, type LineHead } from './line.ts'
import type { Replica } from './replica.ts'
import { bodyOf, valueAt, type LineBody } from './value-text.ts'

/** A line without its value. */
export interface LineMeta {
  readonly key: Key
  readonly head: LineHead
  readonly body: LineBody
}

const SHARED_BYTES = 128 * 1024

/** One for all reads: they are synchronous, and nothing that comes out points into it. */
const shared = Buffer.allocUnsafeSlow(SHARED_BYTES)

/** Reads the lines that rows point to. */
export class LineReader {
  readonly #files: Files
  readonly #replica: Replica

  constructor(files: Files, replica: Replica) {
    this.#files = files
    this.#replica = replica
  }

  /** The whole line of a row, checked; `undefined` when it is damaged. Valid until the next read. */
  line(row: number): Buffer | undefined {
    const size = this.#replica.catalog.table.size[row] as number
    const buffer = this.#read(row, size)
    return buffer && isIntact(buffer, 0, size) ? buffer : undefined
  }

  /** What the line of a row says besides its value; `undefined` when that is damaged. */
  meta(row: number): LineMeta | undefined {
    const { size, bytes, format, hash } = this.#replica.catalog.table
    const shape = { size: size[row] as number, bytes: bytes[row] as number, format: format[row] as number }
    const valueStart = valueAt(shape)
    const head = newHead()
    try {
      const buffer = this.#read(row, valueStart)
      if (!buffer || !readHead(buffer, 0, head)) return undefined
      const body = bodyOf(buffer, 0, valueStart)
      const key: Key = { name: body.name, id: body.key }
      return this.#replica.hash.of(key) === hash[row] ? { key, head, body } : undefined
    } catch {
      return undefined
    }
  }

  /** Where the line of a row lies, for people. */
  placeOf(row: number): string {
    const { file, offset } = this.#replica.catalog.table
    return `${this.#files.path(file[row] as number)}, byte ${offset[row]}`
  }

  #read(row: number, bytes: number): Buffer | undefined {
    const { file, offset } = this.#replica.catalog.table
    const buffer = bytes <= SHARED_BYTES ? shared : Buffer.allocUnsafe(bytes)
    return readSync(this.#files.fd(file[row] as number), buffer, 0, bytes, offset[row] as number) === bytes
      ? buffer
      : undefined
  }
}
