// One row ⇄ one entry.

import { checksum, type Guarded } from '../../codec/checksum.ts'
import type { Compression } from '../../codec/compression.ts'
import { compressed, compressedLater, decodeStoredSoon } from '../../codec/stored.ts'
import { encodeValue, type Encoded } from '../../codec/value.ts'
import { staleFrom, type Entry, type Identity, type KeyInfo } from '../../entry.ts'
import { TidemarkError } from '../../errors.ts'
import type { Key } from '../../key.ts'
import { sizeOf } from './schema.ts'

/** Added to a row's format when its value lies in a file and `value` is the file's name. */
export const IN_FILE = 8

/** The columns a read asks for, in the order of {@link Row}. Every column costs a read 50 ns; there are no idle ones. */
export const ROW_COLUMNS =
  'name, key, scope, loaded_at, fresh_until, stale_ms, error_ms, keep_ms, stale_at, format, crc, extra, value'

/** The same for a list: the size in place of the value. */
export const INFO_COLUMNS: string = ROW_COLUMNS.replace(/value$/, sizeOf('entries'))

type RowHead = [
  name: number,
  key: string,
  scope: string | null,
  loadedAt: number,
  freshUntil: number,
  staleMs: number | null,
  errorMs: number | null,
  keepMs: number | null,
  staleAt: number | null,
  format: number,
  crc: number,
  extra: string | null,
]

/** A row as node:sqlite returns it with `setReturnArrays`. */
export type Row = [...RowHead, value: string | Uint8Array | null]

/** A row of a list. */
export type InfoRow = [...RowHead, bytes: number | null, id: number]

/** An entry made ready to be written: encoded outside the transaction, so that the lock is held shortly. */
export interface PreparedRow extends Guarded {
  readonly entry: Entry
  readonly crc: number
  readonly bytes: number
  /** The value, or the name of the file that holds it. */
  readonly value: string | Uint8Array
}

/** What few entries have, as JSON. */
interface Extra {
  readonly era?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly identity?: Identity | undefined
  readonly revision?: string | undefined
  /** Of a value in a file. */
  readonly bytes?: number | undefined
}

/** Encodes an entry. Errors: `invalid-value` for what cannot be stored. */
export function prepareRow(entry: Entry): PreparedRow {
  const { format, data } = encodeValue(entry.value)
  const { loadedAt, freshUntil } = entry
  // One object from the start: a copy for the checksum would cost as much as the checksum.
  const row = {
    loadedAt,
    freshUntil,
    staleMs: entry.staleUntil - freshUntil,
    errorMs: entry.errorUntil - freshUntil,
    keepMs: entry.keepUntil - freshUntil,
    format,
    scope: entry.scope ?? null,
    extra: extraOf(entry, undefined),
    entry,
    bytes: typeof data === 'string' ? data.length : data.byteLength,
    value: data,
    crc: 0,
  }
  row.crc = withStaleAt(checksum(data, row), entry.staleAt)
  return row
}

/** The row with its value compressed, or itself when that is not wanted or not worth it. */
export function packRow(row: PreparedRow, compression: Compression | undefined): PreparedRow {
  return compression === undefined ? row : withPacked(row, compressed(row.entry.value, plainOf(row), compression))
}

/** The same for a large value, by a thread of its own. */
export async function packRowLater(row: PreparedRow, compression: Compression | undefined): Promise<PreparedRow> {
  if (compression === undefined) return row
  return withPacked(row, await compressedLater(row.entry.value, plainOf(row), compression))
}

function plainOf({ format, value }: PreparedRow): Encoded {
  return { format, data: value } as Encoded
}

function withPacked(row: PreparedRow, { format, data }: Encoded): PreparedRow {
  if (format === row.format) return row
  const packed = { ...row, format, value: data, bytes: data.length }
  return { ...packed, crc: withStaleAt(checksum(data, packed), row.entry.staleAt) }
}

/** The row with its value moved to a file. */
export function inFile(row: PreparedRow, bytes: number, file: string): PreparedRow {
  const moved = { ...row, format: row.format + IN_FILE, extra: extraOf(row.entry, bytes) }
  return { ...moved, bytes, value: file, crc: withStaleAt(checksum(row.value, moved), row.entry.staleAt) }
}

/**
 * The entry of a row; `data` are the value's text or bytes, from the row or from its file. Of a large compressed value it
 * is a promise. Throws `tier-corrupt` when the checksum does not fit: the caller makes a miss of it.
 */
export function entryOfRow(row: Row, key: Key, data: string | Uint8Array | null, isChecked = false): Entry {
  if (data === null || (!isChecked && checksum(data, guardedOfRow(row)) !== checksumOfRow(row))) throw corrupt(key)
  const value = decodeStoredSoon(row[9] % IN_FILE, data)
  const freshUntil = row[4]
  const entry: Entry = {
    key,
    value,
    loadedAt: row[3],
    freshUntil,
    staleUntil: freshUntil + (row[5] ?? 0),
    errorUntil: freshUntil + (row[6] ?? 0),
    keepUntil: freshUntil + (row[7] ?? 0),
    scope: row[2] ?? undefined,
    bytes: typeof data === 'string' ? data.length : data.byteLength,
  }
  if (row[11] === null && row[8] === null) return entry
  return withRare(entry, row[8], row[11])
}

/** What the checksum of a row covers besides its value. */
export function guardedOfRow(row: Row): Guarded {
  return {
    loadedAt: row[3],
    freshUntil: row[4],
    staleMs: row[5] ?? 0,
    errorMs: row[6] ?? 0,
    keepMs: row[7] ?? 0,
    format: row[9],
    scope: row[2],
    extra: row[11],
  }
}

/** What the checksum has to be for a row to be believed. */
export function checksumOfRow(row: Row): number {
  return row[10] - (row[8] ?? 0)
}

/** What a row tells without its value. */
export function infoOfRow(row: InfoRow, name: string): KeyInfo {
  const [, id, scope, loadedAt, freshUntil, staleMs, errorMs, keepMs, staleAt, , , extra, bytes] = row
  const entry: Entry = {
    key: { name, id },
    value: undefined,
    loadedAt,
    freshUntil,
    staleUntil: freshUntil + (staleMs ?? 0),
    errorUntil: freshUntil + (errorMs ?? 0),
    keepUntil: freshUntil + (keepMs ?? 0),
    scope: scope ?? undefined,
    bytes: bytes ?? undefined,
  }
  const { value: _, ...info } = withRare(entry, staleAt, extra)
  return info
}

/** Adds what few rows have, and what happened to the row after it was written. */
function withRare(entry: Entry, staleAt: number | null, extra: string | null): Entry {
  const full = extra === null ? entry : { ...entry, ...(JSON.parse(extra) as Extra) }
  // Also for one that was written as stale: that it was invalidated is worth knowing.
  return staleAt === null ? full : { ...staleFrom(full, staleAt), staleAt }
}

function extraOf(entry: Entry, bytes: number | undefined): string | null {
  const { era, tags, identity, revision } = entry
  if (
    era === undefined &&
    tags === undefined &&
    identity === undefined &&
    revision === undefined &&
    bytes === undefined
  )
    return null
  return JSON.stringify({ era, tags, identity, revision, bytes } satisfies Extra)
}

/** An invalidation changes a row without reading its value, so the checksum covers `stale_at` as a sum: it is added there too. */
function withStaleAt(crc: number, staleAt: number | undefined): number {
  return crc + (staleAt ?? 0)
}

function corrupt(key: Key): TidemarkError {
  return new TidemarkError('tier-corrupt', `A stored value of ${key.name} failed its checksum.`, {
    hint: 'The value counts as a miss and is loaded again; if this repeats, check the disk.',
  })
}
