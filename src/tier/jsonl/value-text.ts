// An entry as the body of a line: what it belongs to, its key, what few entries have, its value. And back.

import { decodeStoredSoon, isText } from '../../codec/stored.ts'
import { encodeValue, type Encoded } from '../../codec/value.ts'
import type { Entry, Identity } from '../../entry.ts'
import type { Membership } from '../../slot.ts'
import { HEAD_BYTES, TAIL_BYTES, type LineHead } from './line.ts'

/** Added to a format when the value lies in a file and the line has the file's name. */
export const IN_FILE = 8

/** Bytes of `{"file":"<sha-256>","crc":<padded>}` in the place of a value. */
const FILE_TEXT_BYTES = 92
const VALUE_MARK = ',"value":'

/** What a line says besides its numbers and its value. */
export interface LineBody extends Membership {
  readonly name: string
  readonly key: string
  readonly staleUntil?: number
  readonly errorUntil?: number
  readonly staleAt?: number
  readonly identity?: Identity
  readonly revision?: string
  /** When an `add` was written, by its writer's clock. */
  readonly at?: number
}

/** What stands in the place of a large value. */
export interface FileReference {
  readonly file: string
  readonly crc: number
}

/** An encoded value. */
export type EncodedValue = Encoded & { readonly bytes: number }

/** Encodes a value. Errors: `invalid-value` for what cannot be stored. */
export function encodedValue(value: unknown): EncodedValue {
  return measured(encodeValue(value))
}

/** An encoded value with its size. */
export function measured(encoded: Encoded): EncodedValue {
  const { data } = encoded
  return { ...encoded, bytes: typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength }
}

/** A value as JSON for its line; binary and compressed ones as base64. */
export function valueText({ data }: EncodedValue): string {
  return typeof data === 'string'
    ? data
    : `"${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}"`
}

/** What stands in the line of a value that lies in a file. */
export function fileText({ file, crc }: FileReference): string {
  return `{"file":"${file}","crc":${String(crc).padStart(10)}}`
}

/** The body of an entry's line, up to its value. `at` is given for what a load adds. */
export function bodyText(entry: Entry, at: number | undefined): string {
  const { key, freshUntil, staleUntil, errorUntil, staleAt, identity, revision } = entry
  let body = `"name":${JSON.stringify(key.name)}${groupText(entry)},"key":${JSON.stringify(key.id)}`
  if (staleUntil !== freshUntil) body += `,"staleUntil":${staleUntil}`
  if (errorUntil !== freshUntil) body += `,"errorUntil":${errorUntil}`
  if (staleAt !== undefined) body += `,"staleAt":${staleAt}`
  if (identity !== undefined) body += `,"identity":${JSON.stringify(identity)}`
  if (revision !== undefined) body += `,"revision":${JSON.stringify(revision)}`
  if (at !== undefined) body += `,"at":${at}`
  return body + VALUE_MARK
}

function groupText({ scope, era, tags }: Membership): string {
  let text = ''
  if (scope !== undefined) text += `,"scope":${JSON.stringify(scope)}`
  if (era !== undefined) text += `,"era":${JSON.stringify(era)}`
  if (tags !== undefined) text += `,"tags":${JSON.stringify(tags)}`
  return text
}

/** Where the value begins, counted from the line's beginning. */
export function valueAt({ size, format, bytes }: Pick<LineHead, 'size' | 'format' | 'bytes'>): number {
  let textBytes = bytes
  if (format >= IN_FILE) textBytes = FILE_TEXT_BYTES
  else if (!isText(format)) textBytes = 2 + 4 * Math.ceil(bytes / 3)
  return size - TAIL_BYTES - textBytes
}

/** The body of the line at `at`. Throws on anything {@link bodyText} did not write. */
export function bodyOf(buffer: Buffer, at: number, valueStart: number): LineBody {
  const text = buffer.toString('utf8', at + HEAD_BYTES, at + valueStart - VALUE_MARK.length)
  return JSON.parse(`{${text}}`) as LineBody
}

/** The value of the line at `at`; for one in a file, its {@link FileReference}; for a large compressed one, a promise. */
export function valueOf(
  buffer: Buffer,
  at: number,
  valueStart: number,
  { size, format }: Pick<LineHead, 'size' | 'format'>,
): unknown {
  const text = buffer.toString('utf8', at + valueStart, at + size - TAIL_BYTES)
  if (format >= IN_FILE) return JSON.parse(text)
  // The quotes around base64 are none of its characters, and are left out.
  return decodeStoredSoon(format, isText(format) ? text : Buffer.from(text, 'base64'))
}
