import { crc32 } from 'node:zlib'
import { slices } from '../../codec/checksum.ts'
import { decodeStoredSoon, isText, withValue } from '../../codec/stored.ts'
import type { Clock } from '../../clock.ts'
import { staleFrom, type Entry } from '../../entry.ts'
import { isTidemarkError } from '../../errors.ts'
import type { Key } from '../../key.ts'
import type { ValueFiles } from '../value-files.ts'
import type { MaybePromise, TierReport } from '../tier.ts'
import type { Capacity } from './capacity.ts'
import { newHead, readHead, type LineHead } from './line.ts'
import type { LineReader } from './line-reader.ts'
import type { Replica } from './replica.ts'
import { NONE } from './table.ts'
import { IN_FILE, bodyOf, valueAt, valueOf, type FileReference, type LineBody } from './value-text.ts'

/** What reading needs of the tier around it. */
export interface ReadsParts {
  readonly replica: Replica
  readonly reader: LineReader
  readonly capacity: Capacity
  readonly files: ValueFiles
  readonly clock: () => Clock
  readonly report: (news: TierReport) => void
  /** Takes in what other processes stored. */
  readonly look: () => void
}

/** One for all reads: they are synchronous. */
const head = newHead()

/** Reads of single entries: one line, checked; large values from their file, in slices. A read never writes. */
export class Reads {
  readonly #parts: ReadsParts

  constructor(parts: ReadsParts) {
    this.#parts = parts
  }

  get(key: Key): MaybePromise<Entry | undefined> {
    const { replica, reader, capacity, clock } = this.#parts
    const row = this.#find(key)
    const { table } = replica.catalog
    if (row === NONE || clock().now() >= (table.keepUntil[row] as number)) return undefined
    const line = reader.line(row)
    if (!line) return this.#drop(row, key, `the line at ${reader.placeOf(row)} is damaged`)
    try {
      readHead(line, 0, head)
      const valueStart = valueAt(head)
      const body = bodyOf(line, 0, valueStart)
      // Another key may have the same hash.
      if (body.key !== key.id || body.name !== key.name) return undefined
      capacity.visit(row)
      const value = valueOf(line, 0, valueStart, head)
      const entry = entryOf(key, head, body, table.staleAt[row] as number, value)
      if (head.format >= IN_FILE) return this.#withFile(entry, head.format - IN_FILE, row)
      return entry.value instanceof Promise ? this.#unpacked(entry, row) : entry
    } catch (error) {
      return this.#unreadable(row, key, error)
    }
  }

  async #unpacked(entry: Entry, row: number): Promise<Entry | undefined> {
    const { reader } = this.#parts
    const place = reader.placeOf(row)
    try {
      return await withValue(entry)
    } catch (error) {
      // The row may be about another line by now.
      return this.#unreadable(reader.placeOf(row) === place ? row : NONE, entry.key, error)
    }
  }

  /** What is missing may have come a moment ago: looking costs less than loading it. */
  #find(key: Key): number {
    const { replica, look } = this.#parts
    const row = replica.catalog.table.find(replica.hash.of(key))
    if (row !== NONE) return row
    look()
    return replica.catalog.table.find(replica.hash.of(key))
  }

  async #withFile(entry: Entry, format: number, row: number): Promise<Entry | undefined> {
    const { files, reader } = this.#parts
    const { file, crc } = entry.value as FileReference
    const place = reader.placeOf(row)
    const bytes = await files.read(file)
    if (bytes !== undefined && (await checksumOf(bytes)) === crc) {
      const data = isText(format) ? Buffer.from(bytes).toString('utf8') : bytes
      try {
        return await withValue({ ...entry, value: decodeStoredSoon(format, data) })
      } catch (error) {
        return this.#unreadable(reader.placeOf(row) === place ? row : NONE, entry.key, error)
      }
    }
    await files.remove(file)
    // The row may be about another line by now.
    const current = reader.placeOf(row) === place ? row : NONE
    return this.#drop(current, entry.key, `the file ${file} of a large value is ${bytes ? 'damaged' : 'gone'}`)
  }

  /** A miss and a count. What a newer version wrote is left to it. */
  #unreadable(row: number, key: Key, error: unknown): undefined {
    const message = error instanceof Error ? error.message : String(error)
    return this.#drop(isTidemarkError(error, 'tier-newer') ? NONE : row, key, message)
  }

  /** A damaged entry is a miss and a count, once: what is in its place in the file is not looked at again. */
  #drop(row: number, key: Key, message: string): undefined {
    if (row !== NONE) this.#parts.replica.catalog.remove(row)
    this.#parts.report({ kind: 'corrupt', key, message })
    return undefined
  }
}

/** The checksum of a large value, giving the event loop a turn after each MiB. */
export async function checksumOf(bytes: Uint8Array): Promise<number> {
  let crc = 0
  for (const slice of slices(bytes)) {
    crc = crc32(slice, crc)
    if (slice.byteLength < bytes.byteLength) await new Promise((resolve) => setImmediate(resolve))
  }
  return crc
}

/** The entry of a line. `staleAt`: when it was marked stale after its line was written, or 0. */
export function entryOf(key: Key, line: LineHead, body: LineBody, staleAt: number, value: unknown): Entry {
  const { freshUntil } = line
  const { scope, era, tags, identity, revision } = body
  const entry: { -readonly [K in keyof Entry]: Entry[K] } = {
    key,
    value,
    loadedAt: line.loadedAt,
    freshUntil,
    staleUntil: body.staleUntil ?? freshUntil,
    errorUntil: body.errorUntil ?? freshUntil,
    keepUntil: line.keepUntil,
    bytes: line.bytes,
  }
  if (scope !== undefined) entry.scope = scope
  if (era !== undefined) entry.era = era
  if (tags !== undefined) entry.tags = tags
  if (identity !== undefined) entry.identity = identity
  if (revision !== undefined) entry.revision = revision
  if (body.staleAt !== undefined) entry.staleAt = body.staleAt
  return staleAt === 0 ? entry : staleFrom(entry, staleAt)
}
