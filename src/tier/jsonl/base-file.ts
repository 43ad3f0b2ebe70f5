import { closeSync, openSync, writeSync } from 'node:fs'
import { abandon, fullDisk, publish, temporaryPath } from './atomic-file.ts'
import type { NewRecord } from './batch.ts'
import { putChecksum, recordText } from './line.ts'

const BUFFER_BYTES = 1024 * 1024

/** A base on its way: lines are copied into it, then it gets its name. */
export class BaseFile {
  readonly #path: string
  readonly #temporary: string
  #fd: number | undefined
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #filled = 0
  #written = 0

  /** Throws what the file system throws. */
  constructor(path: string) {
    this.#path = path
    this.#temporary = temporaryPath(path)
    this.#fd = openSync(this.#temporary, 'wx', 0o600)
  }

  /** Copies a line as it is and tells where it came to lie. */
  line(line: Buffer, size: number): number {
    const offset = this.#written + this.#filled
    if (this.#filled + size > BUFFER_BYTES) this.#flush()
    if (size > BUFFER_BYTES) this.#write(line, size)
    else this.#filled += line.copy(this.#buffer, this.#filled, 0, size)
    return offset
  }

  record(record: NewRecord): void {
    const line = Buffer.from(recordText(record))
    putChecksum(line, 0, line.byteLength)
    this.line(line, line.byteLength)
  }

  /** Makes it last, then gives it its name. */
  async publish(): Promise<void> {
    this.#flush()
    this.#close()
    await publish(this.#temporary, this.#path)
  }

  /** Leaves nothing behind, unless it was published. */
  abandon(): void {
    this.#close()
    abandon(this.#temporary)
  }

  #close(): void {
    // A number that is closed twice may be somebody else's file by then.
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #flush(): void {
    this.#write(this.#buffer, this.#filled)
    this.#filled = 0
  }

  #write(bytes: Buffer, size: number): void {
    if (this.#fd === undefined || writeSync(this.#fd, bytes, 0, size) < size) throw fullDisk(this.#temporary)
    this.#written += size
  }
}
