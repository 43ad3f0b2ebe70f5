// Values ⇄ text or bytes. Plain JSON stays plain JSON, so that a person or SQL can read it; what JSON cannot say is
// tagged; binary parts follow as raw bytes. docs/values.md is the user's page.

import { TidemarkError, describe } from '../errors.ts'
import { decodeBinary, encodeBinary, isBinary, type BinaryMark } from './binary.ts'

/** How a value was encoded. Stored beside it; an unknown format is a miss, never a guess. `packed` is any other, compressed. */
export const FORMAT = { json: 0, tagged: 1, binary: 2, packed: 3 } as const

/** An encoded value: text for `json` and `tagged`, bytes for all others. */
export type Encoded =
  | { readonly format: typeof FORMAT.json | typeof FORMAT.tagged; readonly data: string }
  | { readonly format: typeof FORMAT.binary | typeof FORMAT.packed; readonly data: Uint8Array }

/** An object with this key is a tag: `{ "$": kind, ... }`. A user's own object with it is wrapped in the tag `o`. */
const TAG = '$'

/**
 * Property names that JSON writes with an escape. V8 can read such a name as another one it has met before
 * (nodejs/node#63785), so they are stored as strings: `{ "$": "p", "v": [[name, value], ...] }`.
 */
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u

/**
 * Encodes any JSON value, and Date, Map, Set, BigInt, Buffer, typed arrays, `undefined` inside objects, NaN, ±Infinity and -0.
 * Refuses functions, symbols, class instances and circular values with `invalid-value`, naming the place.
 */
export function encodeValue(value: unknown): Encoded {
  try {
    if (isPlainJson(value)) {
      const data = JSON.stringify(value)
      if (!data.includes('\\') || !hasEscapedName(value)) return { format: FORMAT.json, data }
    }
    const segments: Uint8Array[] = []
    const text = JSON.stringify(tag(value, segments, '$'))
    if (segments.length === 0) return { format: FORMAT.tagged, data: text }
    return { format: FORMAT.binary, data: join(text, segments) }
  } catch (error) {
    if (error instanceof RangeError)
      throw new TidemarkError('invalid-value', 'The value is circular, or nested too deeply.', { cause: error })
    throw error
  }
}

/** The value that {@link encodeValue} encoded. Throws on anything it did not write, and on what was compressed since. */
export function decodeValue(format: number, data: string | Uint8Array): unknown {
  if (typeof data === 'string') {
    if (format === FORMAT.json) return JSON.parse(data)
    if (format === FORMAT.tagged) return untag(JSON.parse(data), NO_BYTES)
  } else if (format === FORMAT.binary) {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    const textBytes = bytes.readUInt32LE(0)
    return untag(JSON.parse(bytes.toString('utf8', 4, 4 + textBytes)), bytes.subarray(4 + textBytes))
  }
  throw new TidemarkError('invalid-value', `A stored value has the unknown format ${format}.`)
}

const NO_BYTES = Buffer.alloc(0)

function isPlainJson(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      break
    default:
      return false
  }
  if (value === null) return true
  if (Array.isArray(value)) {
    // A hole reads as undefined and makes the array a tagged one.
    for (let i = 0; i < value.length; i++) if (!isPlainJson(value[i])) return false
    return true
  }
  if (!isPlainObject(value)) return false
  for (const name in value) if (name === TAG || !isPlainJson((value as Record<string, unknown>)[name])) return false
  return !('toJSON' in value)
}

/** Only asked when the text has an escape somewhere: most have none. */
function hasEscapedName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(hasEscapedName)
  return Object.entries(value).some(([name, item]) => ESCAPED.test(name) || hasEscapedName(item))
}

function isPlainObject(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === Object.prototype || proto === null
}

function tag(value: unknown, segments: Uint8Array[], path: string): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { [TAG]: 'n', v: Object.is(value, -0) ? '-0' : String(value) }
    case 'bigint':
      return { [TAG]: 'i', v: value.toString() }
    case 'undefined':
      return { [TAG]: 'u' }
    case 'object':
      return value === null ? null : tagObject(value, segments, path)
    default:
      throw unsupported(value, path)
  }
}

function tagObject(value: object, segments: Uint8Array[], path: string): unknown {
  if (Array.isArray(value)) return Array.from(value, (item, i) => tag(item, segments, `${path}[${i}]`))
  if (isBinary(value)) return { [TAG]: 'b', ...encodeBinary(value, segments) }
  const proto: unknown = Object.getPrototypeOf(value)
  if (proto === Date.prototype) return { [TAG]: 'd', v: (value as Date).getTime() }
  if (proto === Map.prototype) {
    return { [TAG]: 'm', v: Array.from(value as Map<unknown, unknown>, (pair) => tag(pair, segments, `${path}(Map)`)) }
  }
  if (proto === Set.prototype) {
    return { [TAG]: 's', v: Array.from(value as Set<unknown>, (item) => tag(item, segments, `${path}(Set)`)) }
  }
  if (!isPlainObject(value) || 'toJSON' in value) throw unsupported(value, path)
  const entries = Object.entries(value).map(([name, item]) => [name, tag(item, segments, `${path}.${name}`)] as const)
  if (entries.some(([name]) => ESCAPED.test(name))) return { [TAG]: 'p', v: entries }
  const plain: Record<string, unknown> = Object.fromEntries(entries)
  return Object.hasOwn(plain, TAG) ? { [TAG]: 'o', v: plain } : plain
}

function untag(value: unknown, bytes: Buffer): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => untag(item, bytes))
  const object = value as Record<string, unknown>
  if (!Object.hasOwn(object, TAG)) return untagProperties(object, bytes)
  const v = object['v']
  switch (object[TAG]) {
    case 'n':
      return Number(v)
    case 'i':
      return BigInt(v as string)
    case 'u':
      return undefined
    case 'b':
      return decodeBinary(object as unknown as BinaryMark, bytes)
    case 'd':
      return new Date(v === null ? Number.NaN : (v as number))
    case 'm':
      return new Map(untag(v, bytes) as [unknown, unknown][])
    case 's':
      return new Set(untag(v, bytes) as unknown[])
    case 'o':
      return untagProperties(v as Record<string, unknown>, bytes)
    case 'p':
      return Object.fromEntries(untag(v, bytes) as [string, unknown][])
    default:
      throw new TidemarkError('invalid-value', `A stored value has the unknown tag ${describe(object[TAG])}.`)
  }
}

function untagProperties(object: Record<string, unknown>, bytes: Buffer): unknown {
  // fromEntries defines properties, so a key named __proto__ stays a key.
  return Object.fromEntries(Object.entries(object).map(([name, item]) => [name, untag(item, bytes)]))
}

function join(text: string, segments: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.from(text, 'utf8')
  const length = Buffer.alloc(4)
  length.writeUInt32LE(head.byteLength)
  return Buffer.concat([length, head, ...segments])
}

function unsupported(value: unknown, path: string): TidemarkError {
  return new TidemarkError(
    'invalid-value',
    `Cannot store ${describe(value)} at ${path}: it would not come back as it is.`,
    {
      data: { path },
    },
  )
}
