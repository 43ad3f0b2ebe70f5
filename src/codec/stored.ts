// Values as tiers store them: encoded, compressed where that was asked for. What a tier needs of the codec is here.

import { TidemarkError } from '../errors.ts'
import type { Compression } from './compression.ts'
import { AT_ONCE_BYTES_MAX, pack, packLater, plainBytesOf, unpack, unpackLater } from './packed.ts'
import { FORMAT, decodeValue, type Encoded } from './value.ts'

/**
 * The property that marks a value with sealed parts (seal/sealed-value.ts). Such a value is not compressed any more: what is
 * sealed does not shrink, and its secrets were compressed before they were sealed.
 */
export const SEALED_MARK = '$sealed'

/** True for formats whose data are text; all others, also those to come, are bytes. */
export function isText(format: number): boolean {
  return format < FORMAT.binary
}

/** An encoded value as it is to be stored. In this turn: a value of 1 MiB takes some 2 ms with zstd, 6 with gzip. */
export function compressed(value: unknown, encoded: Encoded, compression: Compression | undefined): Encoded {
  return compression === undefined || isSealed(value) ? encoded : pack(encoded, compression)
}

/** The same, where the caller can wait: large values are compressed in a thread of its own. */
export async function compressedLater(
  value: unknown,
  encoded: Encoded,
  compression: Compression | undefined,
): Promise<Encoded> {
  return compression === undefined || isSealed(value) ? encoded : packLater(encoded, compression)
}

/**
 * The value of stored data. Errors: `tier-newer` for what a newer version wrote, `tier-corrupt` and `invalid-value` for
 * what nobody did; the caller makes a miss of each, never a guess.
 */
export function decodeStored(format: number, data: string | Uint8Array): unknown {
  return isPacked(format, data) ? decodePlain(unpack(data)) : decodeKnown(format, data)
}

/**
 * The same for the value of an entry, but of a large compressed one it is a promise: decompressing takes a thread of its own,
 * and no turn of the event loop. A stored value is never one itself. {@link withValue} waits for it. Nor is it `undefined`,
 * which would be taken for a miss: what says so was damaged, or forged.
 */
export function decodeStoredSoon(format: number, data: string | Uint8Array): unknown {
  if (!isPacked(format, data)) return refuseUndefined(decodeKnown(format, data))
  if (plainBytesOf(data) <= AT_ONCE_BYTES_MAX) return refuseUndefined(decodePlain(unpack(data)))
  return unpackLater(data).then((plain) => refuseUndefined(decodePlain(plain)))
}

/** An entry whose value is there, or a promise of it when its value is one. */
export function withValue<E extends { readonly value: unknown }>(entry: E): E | Promise<E> {
  return entry.value instanceof Promise ? entry.value.then((value: unknown) => ({ ...entry, value })) : entry
}

function isPacked(format: number, data: string | Uint8Array): data is Uint8Array {
  return format === FORMAT.packed && typeof data !== 'string'
}

function decodePlain({ format, data }: Encoded): unknown {
  return decodeValue(format, data)
}

function decodeKnown(format: number, data: string | Uint8Array): unknown {
  if (format <= FORMAT.packed) return decodeValue(format, data)
  throw new TidemarkError('tier-newer', `A stored value has the unknown format ${format}.`, {
    hint: 'A newer Tidemark wrote it: it counts as a miss here, and is left alone.',
  })
}

function refuseUndefined(value: unknown): unknown {
  if (value !== undefined) return value
  throw new TidemarkError('tier-corrupt', 'A stored value is undefined, which no resource stores.', {
    hint: 'The value counts as a miss and is loaded again; if this repeats, look at who else writes to the tier.',
  })
}

function isSealed(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, SEALED_MARK)
}
