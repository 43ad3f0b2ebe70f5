// Binary parts of a value: kept as raw bytes behind the JSON text, so that samples and files cost a copy and no parsing.

import { TidemarkError, describe } from '../errors.ts'

/** Where a binary part lies and what it was. */
export interface BinaryMark {
  readonly kind: string
  readonly at: number
  readonly bytes: number
}

type TypedArray = new (buffer: ArrayBuffer) => ArrayBufferView

const VIEWS: Readonly<Record<string, TypedArray>> = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
}

/** True for Buffers, typed arrays, DataViews and ArrayBuffers; not for shared memory, which can change under a cache. */
export function isBinary(value: object): value is ArrayBuffer | ArrayBufferView<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) return value.buffer instanceof ArrayBuffer
  return value instanceof ArrayBuffer
}

/** Appends the bytes of `value` to `segments` and tells where they will lie. */
export function encodeBinary(value: ArrayBuffer | ArrayBufferView<ArrayBuffer>, segments: Uint8Array[]): BinaryMark {
  const at = segments.reduce((sum, segment) => sum + segment.byteLength, 0)
  const bytes =
    value instanceof ArrayBuffer
      ? new Uint8Array(value)
      : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  segments.push(bytes)
  return { kind: kindOf(value), at, bytes: bytes.byteLength }
}

/** The binary part a mark names, in memory of its own (so that views are aligned and share nothing). */
export function decodeBinary(mark: BinaryMark, bytes: Buffer): unknown {
  const { kind, at, bytes: length } = mark
  if (at < 0 || length < 0 || at + length > bytes.byteLength) {
    throw new TidemarkError('invalid-value', `A stored binary part lies outside its value (${at} + ${length}).`)
  }
  if (kind === 'Buffer') return Buffer.from(bytes.subarray(at, at + length))
  const copy = bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + length) as ArrayBuffer
  if (kind === 'ArrayBuffer') return copy
  const View = Object.hasOwn(VIEWS, kind) ? VIEWS[kind] : undefined
  if (!View) throw new TidemarkError('invalid-value', `A stored binary part has the unknown kind ${describe(kind)}.`)
  return new View(copy)
}

function kindOf(value: ArrayBuffer | ArrayBufferView): string {
  if (Buffer.isBuffer(value)) return 'Buffer'
  if (value instanceof ArrayBuffer) return 'ArrayBuffer'
  const kind = Object.keys(VIEWS).find((name) => VIEWS[name]?.prototype === Object.getPrototypeOf(value))
  if (kind === undefined)
    throw new TidemarkError('invalid-value', `Cannot store ${describe(value)}: not a standard typed array.`)
  return kind
}
