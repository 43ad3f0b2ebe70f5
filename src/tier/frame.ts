// One entry ⇄ one value of bytes, for stores over a network. The scripts of Redis read and write the head at these places:
// see redis/lua/prelude.lua.
//
//   0  magic "TM", version 1, flags (the value's format)
//   4  staleAt, twice: an invalidation rewrites it in place, and two copies that differ show damage
//  20  CRC-32 of everything else
//  24  loadedAt, freshUntil, and the three windows after it; all times and lengths are doubles, milliseconds
//  64  bytes of the groups, bytes of the rest
//  72  groups (each a length and a text), the rest (JSON of what few entries have), the value

import { crc32 } from 'node:zlib'
import type { Compression } from '../codec/compression.ts'
import { compressed, decodeStoredSoon, isText } from '../codec/stored.ts'
import { FORMAT, encodeValue } from '../codec/value.ts'
import { staleFrom, type Entry, type Identity, type KeyInfo } from '../entry.ts'
import { TidemarkError } from '../errors.ts'
import type { Key } from '../key.ts'
import { fieldOf, idOfField } from './field.ts'
import { groupsOf, textOfGroup } from './groups.ts'

const VERSION = 1
const MAGIC = 0x544d
const HEAD_BYTES = 72
const AT = {
  version: 2,
  flags: 3,
  staleAt: 4,
  staleAtCopy: 12,
  crc: 20,
  times: 24,
  groupsBytes: 64,
  restBytes: 68,
} as const

/** So much of a frame tells it from any other frame of the same key. */
export const STAMP_BYTES = 24

/** What few entries have. */
interface Rest {
  readonly era?: string | undefined
  readonly identity?: Identity | undefined
  readonly revision?: string | undefined
  /** Of a key too long to be a field. */
  readonly id?: string | undefined
}

/** An entry ready to be stored. */
export interface Frame {
  readonly bytes: Buffer
  /** Where the value begins; all before it is what lists tell. */
  readonly valueAt: number
  /** Of the encoded value alone, before it was compressed. */
  readonly valueBytes: number
}

/** Encodes an entry. Errors: `invalid-value` for what cannot be stored. */
export function encodeFrame(entry: Entry, compression?: Compression): Frame {
  const plain = encodeValue(entry.value)
  const { format, data } = compressed(entry.value, plain, compression)
  const groups = encodeGroups(groupsOf(entry))
  const rest = Buffer.from(restOf(entry), 'utf8')
  const storedBytes = bytesOf(data)
  const valueAt = HEAD_BYTES + groups.byteLength + rest.byteLength
  const bytes = Buffer.allocUnsafe(valueAt + storedBytes)
  bytes.writeUInt16BE(MAGIC, 0)
  bytes.writeUInt8(VERSION, AT.version)
  bytes.writeUInt8(format, AT.flags)
  const { loadedAt, freshUntil, staleUntil, errorUntil, keepUntil } = entry
  const times = [loadedAt, freshUntil, staleUntil - freshUntil, errorUntil - freshUntil, keepUntil - freshUntil]
  times.forEach((time, i) => bytes.writeDoubleBE(time, AT.times + 8 * i))
  bytes.writeUInt32BE(groups.byteLength, AT.groupsBytes)
  bytes.writeUInt32BE(rest.byteLength, AT.restBytes)
  groups.copy(bytes, HEAD_BYTES)
  rest.copy(bytes, HEAD_BYTES + groups.byteLength)
  if (typeof data === 'string') bytes.write(data, valueAt, 'utf8')
  else bytes.set(data, valueAt)
  bytes.writeDoubleBE(entry.staleAt ?? 0, AT.staleAt)
  bytes.writeDoubleBE(entry.staleAt ?? 0, AT.staleAtCopy)
  bytes.writeUInt32BE(checksumOf(bytes), AT.crc)
  return { bytes, valueAt, valueBytes: data === plain.data ? storedBytes : bytesOf(plain.data) }
}

function bytesOf(data: string | Uint8Array): number {
  return typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength
}

/**
 * The entry of a frame; the value of a large compressed one is a promise. Errors: `tier-newer` for a version or a flag this code does not know, `tier-corrupt` for a damaged
 * frame; the caller makes a miss of either, never a guess.
 */
export function decodeFrame(bytes: Buffer, key: Key): Entry {
  checkStart(bytes)
  if (checksumOf(bytes) !== bytes.readUInt32BE(AT.crc)) throw damaged('failed its checksum')
  const parts = partsOf(bytes)
  // Two long keys would have to share a SHA-256.
  if (parts.rest?.id !== undefined && parts.rest.id !== key.id) throw damaged('belongs to another key')
  const format = bytes[AT.flags] as number
  const data = isText(format) ? bytes.toString('utf8', parts.valueAt) : bytes.subarray(parts.valueAt)
  return entryOf(bytes, key, parts, decodeStoredSoon(format, data), bytes.byteLength)
}

/** What a list tells of an entry, from its frame without the value; `undefined` for what cannot be read. */
export function infoOfHead(head: Buffer, frameBytes: number, name: string, field: string): KeyInfo | undefined {
  try {
    checkStart(head)
    const parts = partsOf(head)
    const id = parts.rest?.id ?? idOfField(field) ?? ''
    if (fieldOf(id) !== field) return undefined
    const { value: _, ...info } = entryOf(head, { name, id }, parts, undefined, frameBytes)
    return info
  } catch {
    // A read of the entry itself reports it.
    return undefined
  }
}

function checkStart(bytes: Buffer): void {
  if (bytes.byteLength < HEAD_BYTES || bytes.readUInt16BE(0) !== MAGIC) throw damaged('is no frame')
  const [version, flags] = [bytes[AT.version] as number, bytes[AT.flags] as number]
  if (version === VERSION && flags <= FORMAT.packed) return
  throw new TidemarkError('tier-newer', `A stored frame has version ${version} and flags ${flags}.`, {
    hint: 'A newer Tidemark wrote it: it counts as a miss here, and is left alone.',
  })
}

/** What lies between the head and the value. */
interface Parts {
  readonly groups: Groups
  readonly rest: Rest | undefined
  readonly valueAt: number
}

function partsOf(bytes: Buffer): Parts {
  const groupsEnd = HEAD_BYTES + bytes.readUInt32BE(AT.groupsBytes)
  const valueAt = groupsEnd + bytes.readUInt32BE(AT.restBytes)
  if (valueAt > bytes.byteLength) throw damaged('is cut off')
  return {
    groups: groupsEnd > HEAD_BYTES ? decodeGroups(bytes, groupsEnd) : NO_GROUPS,
    rest: valueAt > groupsEnd ? (JSON.parse(bytes.toString('utf8', groupsEnd, valueAt)) as Rest) : undefined,
    valueAt,
  }
}

/** The entry, with what happened to it after it was stored. */
function entryOf(bytes: Buffer, key: Key, { groups, rest, valueAt }: Parts, value: unknown, frameBytes: number): Entry {
  const staleAt = bytes.readDoubleBE(AT.staleAt)
  if (!Object.is(staleAt, bytes.readDoubleBE(AT.staleAtCopy))) throw damaged('has two marks')
  const freshUntil = bytes.readDoubleBE(AT.times + 8)
  const entry: Entry = {
    key,
    value,
    loadedAt: bytes.readDoubleBE(AT.times),
    freshUntil,
    staleUntil: freshUntil + bytes.readDoubleBE(AT.times + 16),
    errorUntil: freshUntil + bytes.readDoubleBE(AT.times + 24),
    keepUntil: freshUntil + bytes.readDoubleBE(AT.times + 32),
    scope: groups.scope,
    era: rest?.era,
    tags: groups.tags,
    identity: rest?.identity,
    revision: rest?.revision,
    bytes: frameBytes - valueAt,
  }
  return staleAt === 0 ? entry : { ...staleFrom(entry, staleAt), staleAt }
}

function restOf(entry: Entry): string {
  const { era, identity, revision, key } = entry
  const id = idOfField(fieldOf(key.id)) === undefined ? key.id : undefined
  if (era === undefined && identity === undefined && revision === undefined && id === undefined) return ''
  return JSON.stringify({ era, identity, revision, id } satisfies Rest)
}

function encodeGroups(groups: readonly string[]): Buffer {
  return Buffer.concat(
    groups.flatMap((group) => {
      const text = Buffer.from(group, 'utf8')
      const length = Buffer.alloc(4)
      length.writeUInt32BE(text.byteLength)
      return [length, text]
    }),
  )
}

interface Groups {
  readonly scope: string | undefined
  readonly tags: string[] | undefined
}

const NO_GROUPS: Groups = { scope: undefined, tags: undefined }

function decodeGroups(bytes: Buffer, end: number): Groups {
  let scope: string | undefined
  let tags: string[] | undefined
  for (let at = HEAD_BYTES; at < end;) {
    const length = bytes.readUInt32BE(at)
    const { kind, text } = textOfGroup(bytes.toString('utf8', at + 4, at + 4 + length))
    if (kind === 's') scope = text
    else if (kind === 't') (tags ??= []).push(text)
    at += 4 + length
  }
  return { scope, tags }
}

/** Of the four bytes a frame of each format begins with. */
const CRC_OF_START = Object.values(FORMAT).map((format) =>
  crc32(Buffer.from([MAGIC >> 8, MAGIC & 0xff, VERSION, format])),
)

/** Covers all but the marks, which guard themselves, and itself. */
function checksumOf(bytes: Buffer): number {
  return crc32(bytes.subarray(AT.times), CRC_OF_START[bytes[AT.flags] as number])
}

function damaged(what: string): TidemarkError {
  return new TidemarkError('tier-corrupt', `A stored frame ${what}.`, {
    hint: 'The value counts as a miss and is loaded again; if this repeats, check the memory of its host.',
  })
}
