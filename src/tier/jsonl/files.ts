import { closeSync, fstatSync, openSync } from 'node:fs'

interface OpenFile {
  readonly fd: number
  readonly path: string
  bytes: number
}

/** The files rows point into, open for reading: one that was deleted meanwhile can still be read. */
export class Files {
  readonly #open = new Map<number, OpenFile>()

  /** Bytes of all files, dead lines included. */
  get bytes(): number {
    let sum = 0
    for (const { bytes } of this.#open.values()) sum += bytes
    return sum
  }

  /** Opens a file; how long it is goes by now. Throws what the file system throws. */
  open(id: number, path: string, flags: 'r' | 'a+'): { fd: number; bytes: number } {
    const fd = openSync(path, flags, 0o600)
    this.close(id)
    const { size } = fstatSync(fd)
    this.#open.set(id, { fd, path, bytes: size })
    return { fd, bytes: size }
  }

  fd(id: number): number {
    const file = this.#open.get(id)
    if (!file) throw new RangeError(`file ${id} is not open`)
    return file.fd
  }

  path(id: number): string {
    return this.#open.get(id)?.path ?? ''
  }

  grown(id: number, bytes: number): void {
    const file = this.#open.get(id)
    if (file) file.bytes = bytes
  }

  /** Closes a file, if it is open. */
  close(id: number): void {
    const file = this.#open.get(id)
    if (!file) return
    this.#open.delete(id)
    closeSync(file.fd)
  }

  /** Closes what is older than a file. */
  closeBelow(id: number): void {
    for (const open of this.#open.keys()) if (open < id) this.close(open)
  }

  closeAll(): void {
    this.closeBelow(Number.POSITIVE_INFINITY)
  }
}
