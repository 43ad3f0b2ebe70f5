import type { Compression } from '../../codec/compression.ts'
import { compressed, compressedLater } from '../../codec/stored.ts'
import type { Entry } from '../../entry.ts'
import type { Writable } from './batch.ts'
import type { LineHead } from './line.ts'
import {
  IN_FILE,
  bodyText,
  encodedValue,
  fileText,
  measured,
  valueText,
  type EncodedValue,
  type FileReference,
} from './value-text.ts'

/** An entry made ready to be written: encoded when it is given, so that an append takes little time. */
export class PreparedEntry implements Writable {
  readonly entry: Entry
  readonly #at: number | undefined
  #value: EncodedValue
  #file: FileReference | undefined

  /** Errors: `invalid-value` for what cannot be stored. `at` is given for what a load brought: when that was. */
  constructor(entry: Entry, at: number | undefined) {
    this.entry = entry
    this.#value = encodedValue(entry.value)
    this.#at = at
  }

  /** As it is to be stored. */
  get value(): EncodedValue {
    return this.#value
  }

  /** Compresses a small value. */
  pack(compression: Compression | undefined): void {
    if (compression) this.#value = measured(compressed(this.entry.value, this.#value, compression))
  }

  /** Compresses a large value, by a thread of its own. */
  async packLater(compression: Compression | undefined): Promise<void> {
    if (compression) this.#value = measured(await compressedLater(this.entry.value, this.#value, compression))
  }

  /** The value lies in this file now. */
  movedTo(file: FileReference): void {
    this.#file = file
  }

  number(head: LineHead): void {
    const { entry, value } = this
    head.op = this.#at === undefined ? 'set' : 'add'
    head.bytes = value.bytes
    head.format = this.#file ? value.format + IN_FILE : value.format
    head.loadedAt = whole(entry.loadedAt)
    head.freshUntil = whole(entry.freshUntil)
    head.keepUntil = whole(entry.keepUntil)
  }

  body(): string {
    return bodyText(this.entry, this.#at)
  }

  text(): string {
    return this.#file ? fileText(this.#file) : valueText(this.value)
  }
}

/** A time as a line can have it. */
function whole(ms: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.floor(ms)))
}
