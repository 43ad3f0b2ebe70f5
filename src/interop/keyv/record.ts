// One entry as a text, which every store can keep:
//
//   tide1.<checksum>.<format>.<characters of the head>.{…}<value>
//
// The head is JSON: what the entry is of and how long it lives. The value is text, or base64.

import { crc32 } from 'node:zlib'
import { decodeStoredSoon, isText } from '../../codec/stored.ts'
import type { Encoded } from '../../codec/value.ts'
import type { Entry, Identity, KeyInfo } from '../../entry.ts'
import { TidemarkError } from '../../errors.ts'

const VERSION = 1
const FORM = /^tide(\d+)\.([\da-f]{8})\.(\d+)\.(\d+)\./

/** What a record says beside its value. */
export interface Head {
  readonly info: KeyInfo
  /** Tells one write of a key from any other. */
  readonly stamp: string
  readonly identity?: Identity | undefined
  readonly revision?: string | undefined
}

/** A record taken apart. */
export interface Record {
  readonly head: Head
  readonly format: number
  /** The value as it lies in the text. */
  readonly value: string
}

/** The names in the JSON of a head: short, because every entry has them. */
interface HeadText {
  readonly n: string
  readonly k: string
  /** Loaded at, fresh until, stale until, error until, keep until. */
  readonly t: readonly [number, number, number, number, number]
  readonly w: string
  readonly b?: number | undefined
  readonly a?: number | undefined
  readonly s?: string | undefined
  readonly e?: string | undefined
  readonly g?: readonly string[] | undefined
  readonly i?: Identity | undefined
  readonly r?: string | undefined
}

/** The value of an entry as it lies in a record. */
export function valueText({ data }: Encoded): string {
  if (typeof data === 'string') return data
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
}

/** A record as it is stored. */
export function recordText({ head, format, value }: Record): string {
  const { key, loadedAt, freshUntil, staleUntil, errorUntil, keepUntil, staleAt, scope, era, tags, bytes } = head.info
  const text = JSON.stringify({
    n: key.name,
    k: key.id,
    t: [loadedAt, freshUntil, staleUntil, errorUntil, keepUntil],
    w: head.stamp,
    b: bytes,
    a: staleAt,
    s: scope,
    e: era,
    g: tags,
    i: head.identity,
    r: head.revision,
  } satisfies HeadText)
  const rest = `${format}.${text.length}.${text}${value}`
  return `tide${VERSION}.${checksumOf(rest)}.${rest}`
}

/** The record of what a store gave; `undefined` for what is none of ours. Errors: `tier-newer`, `tier-corrupt`. */
export function recordOf(text: unknown): Record | undefined {
  if (typeof text !== 'string') return undefined
  const form = FORM.exec(text)
  if (!form) return undefined
  const [start, version, crc, format, headLength] = form as unknown as [string, string, string, string, string]
  if (Number(version) !== VERSION) {
    throw new TidemarkError('tier-newer', `A stored record has version ${version}.`, {
      hint: 'A newer Tidemark wrote it: it counts as a miss here, and is left alone.',
    })
  }
  if (checksumOf(text.slice(`tide${version}.${crc}.`.length)) !== crc) {
    throw new TidemarkError('tier-corrupt', 'A stored record failed its checksum.', {
      hint: 'The value counts as a miss and is loaded again; if this repeats, look at who else writes to the store.',
    })
  }
  const valueAt = start.length + Number(headLength)
  const head = JSON.parse(text.slice(start.length, valueAt)) as HeadText
  return { head: headOf(head), format: Number(format), value: text.slice(valueAt) }
}

/** The entry of a record, as it is by now; its value is a promise where it is large and compressed. */
export function entryOfRecord({ head, format, value }: Record, info: KeyInfo): Entry {
  const data = isText(format) ? value : Buffer.from(value, 'base64')
  const entry: { -readonly [K in keyof Entry]: Entry[K] } = { ...info, value: decodeStoredSoon(format, data) }
  if (head.identity !== undefined) entry.identity = head.identity
  if (head.revision !== undefined) entry.revision = head.revision
  return entry
}

/** What is listed of an entry. */
export function infoOf(entry: Entry | KeyInfo, bytes: number | undefined = entry.bytes): KeyInfo {
  const { key, loadedAt, freshUntil, staleUntil, errorUntil, keepUntil, staleAt, scope, era, tags } = entry
  const info: { -readonly [K in keyof KeyInfo]: KeyInfo[K] } = {
    key,
    loadedAt,
    freshUntil,
    staleUntil,
    errorUntil,
    keepUntil,
  }
  if (staleAt !== undefined) info.staleAt = staleAt
  if (scope !== undefined) info.scope = scope
  if (era !== undefined) info.era = era
  if (tags !== undefined) info.tags = tags
  if (bytes !== undefined) info.bytes = bytes
  return info
}

function headOf({ n, k, t, w, b, a, s, e, g, i, r }: HeadText): Head {
  const [loadedAt, freshUntil, staleUntil, errorUntil, keepUntil] = t
  const times = { loadedAt, freshUntil, staleUntil, errorUntil, keepUntil, staleAt: a }
  const info = infoOf({ key: { name: n, id: k }, ...times, scope: s, era: e, tags: g, bytes: b })
  return { info, stamp: w, identity: i, revision: r }
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
