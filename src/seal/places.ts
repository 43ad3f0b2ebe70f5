// Where in a value the secrets are.

import { TidemarkError, invalidOption } from '../errors.ts'

/** A way into a value, property by property; the empty one leads to the value itself. */
export type Place = readonly string[]

/** Stands for every property of an object, or every item of an array. */
const ANY = '*'
const WHOLE: readonly Place[] = [[]]

/** The `secrets` of a construct as ways: `'auth.password'`, `'accounts.*.token'`; `true` is all of the value. Errors: `invalid-option`. */
export function parseSecrets(secrets: readonly string[] | true, option: string): readonly Place[] {
  if (secrets === true) return WHOLE
  if (!Array.isArray(secrets) || secrets.length === 0)
    throw invalidOption(option, 'true, or an array of at least one path', secrets)
  return secrets.map((path: unknown) => {
    const parts = typeof path === 'string' ? path.split('.') : ['']
    if (parts.includes('')) throw invalidOption(option, "paths such as 'password' or 'accounts.*.token'", path)
    return parts
  })
}

/**
 * The places in a value that hold a secret. What a path ends at is one; so is what a path would have to go through and
 * cannot (a text where an object was expected, a `Map`): it may be the secret in another shape. What is not there is none.
 */
export function secretPlaces(value: unknown, paths: readonly Place[]): readonly Place[] {
  const found: Place[] = []
  for (const path of paths) follow(value, path, [], found)
  if (found.length < 2) return found
  // One that lies in another one is sealed with it.
  return found.filter((place, i) => !found.some((other, j) => j !== i && covers(other, place, j < i)))
}

/** What lies at a place, `undefined` when nothing does. */
export function at(value: unknown, place: Place): unknown {
  let here = value
  for (const part of place) {
    if (!isContainer(here) || !Object.hasOwn(here, part)) return undefined
    here = (here as Record<string, unknown>)[part]
  }
  return here
}

/** The value with something else at a place that is there; everything on the way to it is a copy. */
export function replaced(value: unknown, place: Place, by: unknown, depth = 0): unknown {
  const part = place[depth]
  if (part === undefined) return by
  // Both copies have the part as a property of their own, so a name like __proto__ is one like any other.
  const copy: unknown = Array.isArray(value) ? value.slice() : { ...(value as object) }
  const inside = copy as Record<string, unknown>
  inside[part] = replaced(inside[part], place, by, depth + 1)
  return copy
}

function follow(value: unknown, path: Place, here: Place, found: Place[]): void {
  if (value === undefined) return
  const part = path[here.length]
  if (part === undefined) {
    found.push(here)
  } else if (value === null) {
    return
  } else if (!isContainer(value) || (Array.isArray(value) && part !== ANY && !isIndex(part))) {
    found.push(here)
  } else if (part === ANY) {
    for (const name of Object.keys(value))
      follow((value as Record<string, unknown>)[name], path, [...here, name], found)
  } else if (Object.hasOwn(value, part)) {
    follow((value as Record<string, unknown>)[part], path, [...here, part], found)
  }
}

function covers(outer: Place, inner: Place, isEarlier: boolean): boolean {
  if (outer.length > inner.length || (outer.length === inner.length && !isEarlier)) return false
  return outer.every((part, i) => part === inner[i])
}

function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return true
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === Object.prototype || proto === null
}

function isIndex(part: string): boolean {
  return /^(0|[1-9]\d*)$/.test(part)
}

/** Where secrets are spoken of, in a cache without keys. */
export function keyringRequired(who: string): TidemarkError {
  return new TidemarkError('keyring-required', `${who} needs a keyring, and the cache has none.`)
}
