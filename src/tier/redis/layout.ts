// Where things lie in Redis. lua/prelude.lua tells the whole of it.

import { randomBytes } from 'node:crypto'

/** `%`, and what ends a hash tag or the prefix before a name; lone surrogates do not survive UTF-8. */
const ESCAPED = /[%:{}\p{Cs}]/gu

/** What all keys of one name begin with: the hash tag puts them into one slot of a cluster. */
export function baseOfName(prefix: string, name: string): string {
  return `{${prefix}:${escapeName(name)}}:`
}

/** The same for what is known of all names together. No name's base, because a name is escaped and an epoch is longer. */
export function baseOfRegistry(prefix: string): string {
  return `{${prefix}}:registry:`
}

/** The channel on which changes are told. */
export function channelOf(prefix: string): string {
  return `${prefix}:changes`
}

/** A name such that no other name, with whatever prefix, gets the same keys. */
export function escapeName(name: string): string {
  return name.replace(ESCAPED, (part) => `%${part.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The inverse of {@link escapeName}. */
export function unescapeName(escaped: string): string {
  return escaped.replace(/%([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

/** A text unlike any other, without characters that mean something in a key. */
export function newEpoch(): string {
  return randomBytes(9).toString('base64url')
}
