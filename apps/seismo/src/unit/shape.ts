// What comes over a wire is unknown until each of its fields was looked at. A check returns the value it understood,
// copied field by field, or says where it stood, what was expected there and what came.

import { UnitError } from './client.ts'

/** Looks at one value; `at` is its place in the message, for the error. Throws `unit-protocol`. */
export type Check<T> = (value: unknown, at: string) => T

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): Check<number> {
  return (value, at) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    throw mismatch(at, `a whole number from ${min} to ${max}`, value)
  }
}

/** A finite number from `min` to `max`. */
export function amount(min: number, max: number): Check<number> {
  return (value, at) => {
    if (typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max) return value
    throw mismatch(at, `a number from ${min} to ${max}`, value)
  }
}

/** Text of at most `maxLength` characters. */
export function text(maxLength: number): Check<string> {
  return (value, at) => {
    if (typeof value === 'string' && value.length <= maxLength) return value
    throw mismatch(at, `text of at most ${maxLength} characters`, value)
  }
}

/** Text of a form; `what` names the form for the error. */
export function form(pattern: RegExp, what: string): Check<string> {
  return (value, at) => {
    if (typeof value === 'string' && pattern.test(value)) return value
    throw mismatch(at, what, value)
  }
}

/** `true` or `false`. */
export const flag: Check<boolean> = (value, at) => {
  if (typeof value === 'boolean') return value
  throw mismatch(at, 'true or false', value)
}

/** `null`: the answer to something that was only to be done. */
export const nothing: Check<void> = (value, at) => {
  if (value !== null) throw mismatch(at, 'null', value)
}

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): Check<T> {
  return (value, at) => {
    const word = words.find((word) => word === value)
    if (word !== undefined) return word
    throw mismatch(at, `one of ${words.map((word) => `'${word}'`).join(', ')}`, value)
  }
}

/** What may be missing or `null`; both read as `undefined`. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, at) => (value === undefined || value === null ? undefined : check(value, at))
}

/** A list of at most `maxLength` items. */
export function list<T>(check: Check<T>, maxLength: number): Check<T[]> {
  return (value, at) => {
    if (!Array.isArray(value) || value.length > maxLength)
      throw mismatch(at, `a list of at most ${maxLength} items`, value)
    return value.map((item, i) => check(item, `${at}[${i}]`))
  }
}

/** An object whose fields are known; the result holds these and no others, and none that is `undefined`. */
export function shape<T extends object>(fields: { readonly [K in keyof T]-?: Check<T[K]> }): Check<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  return (value, at) => {
    const from = object(value, at)
    const result: Partial<T> = {}
    for (const name of names) {
      const field = fields[name](own(from, name), `${at}.${name}`)
      if (field !== undefined) result[name] = field
    }
    return result as T
  }
}

/** Any object that is no list. */
export const object: Check<Record<string, unknown>> = (value, at) => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw mismatch(at, 'an object', value)
}

/** A field of the message itself: what it inherits (`constructor`, `toString`) was never sent. */
export function own(from: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(from, name) ? from[name] : undefined
}

/** The error of a value that is not what it should be. */
export function mismatch(at: string, expected: string, got: unknown): UnitError {
  return new UnitError('unit-protocol', `expected \`${at}\` to be ${expected}, got ${brief(got)}`)
}

function brief(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'string' && value.length > 40) return `text of ${value.length} characters`
  if (typeof value === 'object' && value !== null) return 'an object'
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
