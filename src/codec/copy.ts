// Values in memory are shared by reference: either nobody can change them, or everyone gets a copy.

import { TidemarkError } from '../errors.ts'
import { isBinary } from './binary.ts'

/**
 * Freezes a value and all it holds. Returns false when a part of it cannot be frozen (Date, Map, Set and binary data
 * change under `Object.freeze`): such a value has to be copied for whoever gets it. Errors: `invalid-value` for one that is
 * nested too deeply.
 */
export function deepFreeze(value: unknown): boolean {
  return withinStack(() => freeze(value, new Set()))
}

function freeze(value: unknown, seen: Set<object>): boolean {
  if (typeof value !== 'object' || value === null || seen.has(value)) return true
  if (isBinary(value) || value instanceof Date || value instanceof Map || value instanceof Set) return false
  seen.add(value)
  let frozen = true
  for (const part of Object.values(value)) if (!freeze(part, seen)) frozen = false
  Object.freeze(value)
  return frozen
}

/**
 * A copy that shares nothing mutable with the original, for every kind of value that can be stored. Errors: `invalid-value`
 * for one that is circular, or nested too deeply.
 */
export function copyValue<V>(value: V): V {
  return withinStack(() => copy(value) as V)
}

/** What walks a value calls itself as deep as the value is nested; the stack of calls ends somewhere. */
function withinStack<T>(walk: () => T): T {
  try {
    return walk()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new TidemarkError('invalid-value', 'The value is circular, or nested too deeply.', { cause: error })
  }
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (value instanceof Date) return new Date(value.getTime())
  if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [copy(key), copy(item)]))
  if (value instanceof Set) return new Set(Array.from(value, copy))
  if (Array.isArray(value)) return value.map(copy)
  if (isBinary(value)) return copyBinary(value)
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, copy(item)]))
}

/** The part a view shows, not the whole buffer it may be a small window of. */
function copyBinary(value: ArrayBuffer | ArrayBufferView<ArrayBuffer>): unknown {
  if (value instanceof ArrayBuffer) return value.slice(0)
  const View = value.constructor as new (buffer: ArrayBuffer) => unknown
  return new View(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength))
}
