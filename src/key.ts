// Names of things: the user's key becomes one canonical string, and groups of entries are named by selectors.

import { describe, invalidOption, refuseUnknown, TidemarkError } from './errors.ts'

/** One part of a key. */
export type KeyPart = string | number | boolean

/** What a user may give as a key: one part, or a tuple of parts. `1` and `'1'` differ, so do `['a','b:c']` and `['a:b','c']`. */
export type KeyInput = KeyPart | readonly KeyPart[]

/** The full name of one entry: the resource's name and the canonical key inside it. */
export interface Key {
  readonly name: string
  readonly id: string
}

/** Which entries an operation means. */
export type Selector =
  | { readonly kind: 'key'; readonly key: Key }
  | { readonly kind: 'scope'; readonly scope: string; readonly name?: string }
  | { readonly kind: 'era'; readonly era: string; readonly scope: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'all' }

const QUOTE = 34 // "
const BRACKET = 91 // [

/**
 * The canonical string of a key. A plain string stands for itself; anything that could be mistaken for an encoding
 * (a leading `"` or `[`, a lone surrogate, a NUL) is written as JSON. Injective: two keys are equal exactly when their ids are.
 * Refuses with `invalid-key` what is no key, and numbers that are not finite.
 */
export function keyId(input: KeyInput): string {
  if (typeof input === 'string') return isPlain(input) ? input : JSON.stringify(input)
  if (Array.isArray(input)) return tupleId(input)
  return tupleId([input as KeyPart])
}

/** The key a canonical string stands for: the inverse of {@link keyId}, but that a lone number comes back as a tuple of one. */
export function keyOfId(id: string): KeyInput {
  const first = id.charCodeAt(0)
  return first === QUOTE || first === BRACKET ? (JSON.parse(id) as KeyInput) : id
}

/**
 * True where a string is its own canonical form as far as its first character tells: the hot path's check.
 * The rest (lone surrogates, NUL) is settled on the way to a load, because no entry is ever stored under such a string.
 */
export function startsPlain(input: string): boolean {
  const first = input.charCodeAt(0)
  return first !== QUOTE && first !== BRACKET
}

function isPlain(input: string): boolean {
  // NUL ends a text for some stores, and a lone surrogate does not survive UTF-8.
  return startsPlain(input) && input.isWellFormed() && !input.includes('\0')
}

function tupleId(parts: readonly KeyPart[]): string {
  for (const part of parts) {
    const fits = typeof part === 'string' || typeof part === 'boolean' || Number.isFinite(part)
    if (fits) continue
    throw new TidemarkError(
      'invalid-key',
      `Expected every part of a key to be a string, a finite number or a boolean, got ${describe(part)}.`,
    )
  }
  return JSON.stringify(parts)
}

/** Which entries of a name: those of one scope, or all. */
export interface ScopeFilter {
  readonly scope?: string | undefined
}

/** The selector of a name's entries, of one scope or of all. Errors: `unknown-option`, `invalid-option`. */
export function selectorOf(name: string, filter: ScopeFilter): Selector {
  refuseUnknown(name, filter, ['scope'])
  const { scope } = filter
  if (scope !== undefined && typeof scope !== 'string') throw invalidOption(`${name}.scope`, 'a string', scope)
  return scope === undefined ? { kind: 'name', name } : { kind: 'scope', scope, name }
}
