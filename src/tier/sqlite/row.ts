// One row ⇄ one entry.

import { checksum, type Guarded } from '../../codec/checksum.ts'
import { decodeValue, encodeValue } from '../../codec/value.ts'
import { staleFrom, type Entry, type Identity, type KeyInfo } from '../../entry.ts'
import { TidemarkError } from '../../errors.ts'
import type { Key } from '../../key.ts'

/** The columns every read asks for, in the order of {@link Row}. */
export const ROW_COLUMNS =
  'id, name, key, scope, era, loaded_at, fresh_until, stale_until, error_until, keep_until, stale_at, format, crc, size, extra, file, value'

/** A row as node:sqlite returns it with `setReturnArrays`. */
export type Row = [
  id: number,
  name: number,
  key: string,
  scope: string | null,
  era: string | null,
  loadedAt: number,
  freshUntil: number,
  staleUntil: number,
  errorUntil: number,
  keepUntil: number,
  staleAt: number | null,
  format: number,
  crc: number,
  size: number,
  extra: string | null,
  file: string | null,
  value: string | Uint8Array | null,
]

/** An entry made ready to be written: encoded outside the transaction, so that the lock is held shortly. */
export interface PreparedRow {
  readonly entry: Entry
  readonly format: number
  readonly crc: number
  readonly size: number
  readonly extra: string | null
  /** Hash of the file that holds the value, for a large one. */
  readonly file: string | null
  readonly data: string | Uint8Array
}

interface Extra {
  readonly tags?: readonly string[]
  readonly identity?: Identity
  readonly revision?: string
}

/** Encodes an entry. Errors: `invalid-value` for what cannot be stored. */
export function prepareRow(entry: Entry): PreparedRow {
  const { format, data } = encodeValue(entry.value)
  const size = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength
  const extra = extraOf(entry)
  return { entry, format, size, data, file: null, extra, crc: checksum(data, guardedBy(entry, extra)) }
}

/** The parameters of the upsert, in the order of its columns. */
export function rowParameters(row: PreparedRow, name: number, kh: number): (number | string | Uint8Array | null)[] {
  const { entry } = row
  return [
    kh,
    name,
    entry.key.id,
    entry.scope ?? null,
    entry.era ?? null,
    entry.loadedAt,
    entry.freshUntil,
    entry.staleUntil,
    entry.errorUntil,
    entry.keepUntil,
    entry.staleAt ?? null,
    row.format,
    row.crc,
    row.size,
    row.extra,
    row.file,
    row.file === null ? row.data : null,
  ]
}

/**
 * The entry of a row; `data` are the value's text or bytes, from the row or from its file.
 * Throws `tier-corrupt` when the checksum does not fit: the caller makes a miss of it.
 */
export function entryOfRow(row: Row, key: Key, data: string | Uint8Array | null): Entry {
  const info = infoOfTimes(row, key)
  if (data === null || checksum(data, guardedBy(info, row[14])) !== row[12]) throw corrupt(key)
  return finish(row, { ...info, value: decodeValue(row[11], data) })
}

/** What the checksum of a row covers besides its value. */
export function guardedOfRow(row: Row): Guarded {
  return guardedBy(infoOfTimes(row, { name: '', id: '' }), row[14])
}

/** What a row tells without its value. */
export function infoOfRow(row: Row, key: Key): KeyInfo {
  const { value: _, ...info } = finish(row, { ...infoOfTimes(row, key), value: undefined })
  return info
}

function infoOfTimes(row: Row, key: Key): KeyInfo {
  return {
    key,
    scope: row[3] ?? undefined,
    era: row[4] ?? undefined,
    loadedAt: row[5],
    freshUntil: row[6],
    staleUntil: row[7],
    errorUntil: row[8],
    keepUntil: row[9],
    bytes: row[13],
  }
}

/** Adds what few rows have, and what happened to the row after it was written. */
function finish(row: Row, entry: Entry): Entry {
  const [staleAt, extra] = [row[10], row[14]]
  const full = extra === null ? entry : { ...entry, ...(JSON.parse(extra) as Extra) }
  return staleAt === null ? full : staleFrom(full, staleAt)
}

function guardedBy(times: KeyInfo, extra: string | null): Guarded {
  const { loadedAt, freshUntil, staleUntil, errorUntil, keepUntil, scope } = times
  return { loadedAt, freshUntil, staleUntil, errorUntil, keepUntil, scope, extra }
}

function extraOf(entry: Entry): string | null {
  const { tags, identity, revision } = entry
  if (tags === undefined && identity === undefined && revision === undefined) return null
  return JSON.stringify({ tags, identity, revision } satisfies { [K in keyof Extra]: Extra[K] | undefined })
}

function corrupt(key: Key): TidemarkError {
  return new TidemarkError('tier-corrupt', `A stored value of ${key.name} failed its checksum.`, {
    hint: 'The value counts as a miss and is loaded again; if this repeats, check the disk.',
  })
}
