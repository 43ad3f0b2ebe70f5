// One entry ⇄ one row.

import type { Compression } from '../../codec/compression.ts'
import { staleFrom, type Entry, type KeyInfo } from '../../entry.ts'
import { TidemarkError } from '../../errors.ts'
import type { Key } from '../../key.ts'
import type { PgRow } from '../../pg/client.ts'
import { SLOT_OF_ALL, slotOfKey, slotOfName } from '../../slot.ts'
import { decodeFrame, encodeFrame, infoOfHead, type Frame } from '../frame.ts'
import { fieldOf } from '../field.ts'
import { groupsOf } from '../groups.ts'
import { arrayOf, hashOf, labelOf, nameOfText, textOfName } from './layout.ts'

/** An entry made ready to be written. */
export interface PreparedRow {
  readonly entry: Entry
  readonly frame: Frame
  readonly hash: string
  readonly slot: number
}

/** Encodes an entry. Errors: `invalid-value` for what cannot be stored. */
export function prepareRow(entry: Entry, compression: Compression | undefined): PreparedRow {
  const { key } = entry
  return { entry, frame: encodeFrame(entry, compression), hash: hashOf(key), slot: slotOfKey(key) }
}

/** Rows as the parameters `hashes` to `frames` of the function `put`. */
export function rowParameters(rows: readonly PreparedRow[]): unknown[] {
  const list = (of: (row: PreparedRow) => string | number): string => arrayOf(rows.map(of))
  const sizes = rows.map(({ frame }) => frame.bytes.byteLength)
  let at = 1
  const starts = sizes.map((size) => (at += size) - size)
  return [
    list(({ hash }) => hash),
    list(({ entry }) => labelOf(entry.key.name)),
    list(({ entry }) => textOfName(entry.key.name)),
    list(({ entry }) => fieldOf(entry.key.id)),
    list(({ entry }) => arrayOf(groupsOf(entry).map(fieldOf))),
    list(({ entry }) => entry.loadedAt),
    list(({ entry }) => entry.freshUntil),
    list(({ entry }) => entry.keepUntil),
    list(({ frame }) => frame.valueAt),
    arrayOf(starts),
    arrayOf(sizes),
    rows.length === 1 ? (rows[0] as PreparedRow).frame.bytes : Buffer.concat(rows.map(({ frame }) => frame.bytes)),
  ]
}

/** The locks of a set, as two literals of arrays: each key alone, what it belongs to shared, in the order of their numbers. */
export function locksOfSet(rows: readonly PreparedRow[]): [slots: string, alone: string] {
  const locks = new Map<number, boolean>([[SLOT_OF_ALL, false]])
  for (const { entry } of rows) locks.set(slotOfName(entry.key.name), false)
  for (const { slot } of rows) locks.set(slot, true)
  return locksOf(locks)
}

/** The locks of a store under a lease: every slot the lease must hold for, shared. */
export function locksOfStore(slots: readonly number[]): [slots: string, alone: string] {
  return locksOf(new Map(slots.map((slot) => [slot, false])))
}

function locksOf(locks: ReadonlyMap<number, boolean>): [slots: string, alone: string] {
  const slots = [...locks.keys()].toSorted((a, b) => a - b)
  return [arrayOf(slots), `{${slots.map((slot) => (locks.get(slot) ? 't' : 'f')).join(',')}}`]
}

/** The name and the field of a row. */
export function placeOfRow(row: PgRow): string {
  return `${String(row['name'])}\0${String(row['field'])}`
}

/** The same of a key. */
export function placeOfKey(key: Key): string {
  return `${textOfName(key.name)}\0${fieldOf(key.id)}`
}

/** The frame of a row, whatever the client calls bytes. */
export function bytesOf(value: unknown): Buffer {
  const bytes = value as Uint8Array
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The entry of a row. Errors: `tier-newer`, `tier-corrupt`; the caller makes a miss of either. */
export function entryOfRow(row: PgRow, key: Key): Entry {
  return markedBy(row, decodeFrame(bytesOf(row['frame']), key))
}

/** What a list tells of a row; `undefined` for what cannot be read. */
export function infoOfRow(row: PgRow): KeyInfo | undefined {
  const [name, field] = [nameOfText(String(row['name'])), String(row['field'])]
  const info = infoOfHead(bytesOf(row['head']), Number(row['bytes']), name, field)
  // A read of the entry itself reports it.
  if (!info || !hasOneMark(row)) return undefined
  const { value: _, ...marked } = markedBy(row, { ...info, value: undefined })
  return marked
}

/** With what happened to it after it was stored. */
function markedBy(row: PgRow, entry: Entry): Entry {
  const { stale_at: staleAt } = row
  if (!hasOneMark(row)) {
    throw new TidemarkError('tier-corrupt', 'A stored row has two marks.', {
      hint: 'The value counts as a miss and is loaded again; if this repeats, check the memory and disk of PostgreSQL.',
    })
  }
  return staleAt === null ? entry : { ...staleFrom(entry, Number(staleAt)), staleAt: Number(staleAt) }
}

function hasOneMark({ stale_at: staleAt, stale_again: again }: PgRow): boolean {
  return staleAt === null || again === null ? staleAt === again : Number(staleAt) === Number(again)
}
