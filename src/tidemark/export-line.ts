// One entry as a line of JSON that another Tidemark takes in again, whole: times, groups, identity, value. Secrets in it are
// sealed before it gets here.

import { crc32 } from 'node:zlib'
import { FORMAT, decodeValue, encodeValue } from '../codec/value.ts'
import type { Entry } from '../entry.ts'
import { TidemarkError } from '../errors.ts'

/** The version of the format. */
export const EXPORT_VERSION = 1

const TIMES = ['loadedAt', 'freshUntil', 'staleUntil', 'errorUntil', 'keepUntil'] as const
const TEXTS = ['scope', 'era', 'revision'] as const
const CHECKED = /^(.*),"crc":"([\da-f]{8})"\}$/s

/** A line with its checksum. */
export function checkedLine(fields: object): string {
  const text = JSON.stringify(fields).slice(0, -1)
  return `${text},"crc":"${crcOf(text)}"}\n`
}

/** The fields of a line. Errors: `import-refused` for one that was changed or cut off. */
export function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  const [, text = '', crc] = CHECKED.exec(line) ?? []
  if (crc !== crcOf(text)) throw refused('The line was changed or cut off: it does not fit its checksum.')
  return JSON.parse(`${text}}`) as Record<string, unknown>
}

/** An entry as the fields of a line. Errors: `invalid-value`. */
export function fieldsOfEntry(entry: Entry): object {
  const { key, loadedAt, freshUntil, staleUntil, errorUntil, keepUntil, staleAt } = entry
  const { scope, era, tags, identity, revision } = entry
  const { format, data } = encodeValue(entry.value)
  const value: unknown = typeof data === 'string' ? JSON.parse(data) : Buffer.from(data).toString('base64')
  const times = { loadedAt, freshUntil, staleUntil, errorUntil, keepUntil, staleAt }
  return { name: key.name, key: key.id, ...times, scope, era, tags, identity, revision, format, value }
}

/** The entry of a line's fields. Errors: `import-refused` for one that is none. */
export function entryOfFields(fields: Readonly<Record<string, unknown>>): Entry {
  const { name, key, staleAt, tags, identity, format, value } = fields
  const fits =
    typeof name === 'string' &&
    typeof key === 'string' &&
    TIMES.every((time) => Number.isSafeInteger(fields[time])) &&
    (staleAt === undefined || Number.isSafeInteger(staleAt)) &&
    TEXTS.every((text) => fields[text] === undefined || typeof fields[text] === 'string') &&
    (tags === undefined || (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string'))) &&
    (identity === undefined || (Array.isArray(identity) && identity.every(isPart)))
  if (!fits) throw refused('The line holds no entry.')
  const { loadedAt, freshUntil, staleUntil, errorUntil, keepUntil, scope, era, revision } = fields as unknown as Entry
  return {
    key: { name, id: key },
    value: valueOf(format, value),
    loadedAt,
    freshUntil,
    staleUntil,
    errorUntil,
    keepUntil,
    ...(staleAt === undefined ? undefined : { staleAt: staleAt as number }),
    scope,
    era,
    tags,
    identity: identity as Entry['identity'],
    revision,
  }
}

/** For what cannot be taken in. */
export function refused(message: string): TidemarkError {
  return new TidemarkError('import-refused', message)
}

function valueOf(format: unknown, value: unknown): unknown {
  try {
    if (format === FORMAT.binary) return decodeValue(format, Buffer.from(value as string, 'base64'))
    return decodeValue(format as number, JSON.stringify(value))
  } catch {
    // The cause would quote the value.
    throw refused('The value of the line does not decode.')
  }
}

function isPart(part: unknown): boolean {
  return part === null || typeof part === 'string' || typeof part === 'number'
}

function crcOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
