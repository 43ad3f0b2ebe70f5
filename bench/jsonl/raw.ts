import { closeSync, openSync, readSync, writeSync } from 'node:fs'

const CHUNK_BYTES = 1024 * 1024

/** What one would write by hand: a file of JSON lines, and where each of them lies. */
export class RawFile {
  readonly #fd: number
  readonly #places: { readonly at: number; readonly bytes: number }[] = []
  readonly #buffer = Buffer.allocUnsafe(64 * 1024)
  #end = 0

  constructor(path: string) {
    this.#fd = openSync(path, 'a+')
  }

  /** Appends bytes that are there already. */
  append(bytes: Buffer): void {
    writeSync(this.#fd, bytes)
    this.#end += bytes.byteLength
  }

  /** Appends an entry as a line of JSON and remembers where. */
  put(n: number, entry: unknown): void {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`)
    this.#places[n] = { at: this.#end, bytes: line.byteLength }
    this.append(line)
  }

  /** A positioned read, decoded. */
  get(n: number): unknown {
    const { at, bytes } = this.#places[n] as { at: number; bytes: number }
    readSync(this.#fd, this.#buffer, 0, bytes, at)
    return JSON.parse(this.#buffer.toString('utf8', 0, bytes))
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** Reads a file once, piece by piece into the same memory: the least anybody can do. */
export function readInPieces(path: string): void {
  const file = openSync(path, 'r')
  const piece = Buffer.allocUnsafe(CHUNK_BYTES)
  while (readSync(file, piece, 0, CHUNK_BYTES, null) > 0);
  closeSync(file)
}
