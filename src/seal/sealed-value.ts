// A value whose secrets are sealed, as tiers get it: plain data, so that any tier can keep it and a person can read the rest.
//
//   { "$sealed": [["password"]], "value": { "url": "http://10.0.0.7", "password": "VFMBAZ…" } }

import type { Compression } from '../codec/compression.ts'
import { SEALED_MARK, compressed, decodeStored, isText } from '../codec/stored.ts'
import { encodeValue } from '../codec/value.ts'
import type { Place } from './places.ts'

const MARK: '$sealed' = SEALED_MARK

/** See above. */
export interface SealedValue {
  /** Where the envelopes lie, as base64. */
  readonly [MARK]: readonly Place[]
  readonly value: unknown
}

/** A value in the form above; with no places it is one of the user's own that only looks like it. */
export function sealedValue(places: readonly Place[], value: unknown): SealedValue {
  return { [MARK]: places, value }
}

/** True for what has the form, or claims to. */
export function looksSealed(value: unknown): value is SealedValue {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, MARK)
}

/** The places of a value that looks sealed, or `undefined` when it is damaged. */
export function placesOf(sealed: SealedValue): readonly Place[] | undefined {
  const places: unknown = sealed[MARK]
  if (!Array.isArray(places) || !Object.hasOwn(sealed, 'value') || Object.keys(sealed).length !== 2) return undefined
  const isPlace = (it: unknown): boolean => Array.isArray(it) && it.every((part) => typeof part === 'string')
  return places.every(isPlace) ? (places as readonly Place[]) : undefined
}

/** Most secrets are texts: they need no codec, which would cost as much as encrypting them. */
const TEXT = 's'

/**
 * A secret as what is encrypted: how it is encoded, and the encoded value, compressed if its tier compresses values of its
 * size: what is encrypted does not shrink any more. Errors: `invalid-value`.
 */
export function encodeSecret(secret: unknown, compression?: Compression): string | Uint8Array {
  const isLarge = compression !== undefined && typeof secret === 'string' && secret.length > compression.aboveBytes
  // Half a surrogate pair does not survive UTF-8.
  if (typeof secret === 'string' && !isLarge && secret.isWellFormed()) return TEXT + secret
  const { format, data } = compressed(undefined, encodeValue(secret), compression)
  return typeof data === 'string' ? `${format}${data}` : Buffer.concat([Buffer.from(String(format)), data])
}

/** The inverse of {@link encodeSecret}; `undefined` for what this version does not know, whose error would quote it. */
export function decodeSecret(plain: Buffer): { readonly secret: unknown } | undefined {
  const kind = plain.toString('latin1', 0, 1)
  if (kind === TEXT) return { secret: plain.toString('utf8', 1) }
  const format = Number(kind)
  try {
    return { secret: decodeStored(format, isText(format) ? plain.toString('utf8', 1) : plain.subarray(1)) }
  } catch {
    return undefined
  }
}
