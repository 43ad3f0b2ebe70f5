import { crc32 } from 'node:zlib'

/** What a checksum covers besides the value: its times in milliseconds, and what it belongs to. */
export interface Guarded {
  readonly loadedAt: number
  readonly freshUntil: number
  readonly staleMs: number
  readonly errorMs: number
  readonly keepMs: number
  /** How the value was encoded: read in another way it would be another value. */
  readonly format: number
  readonly scope: string | null
  /** The rest of what is stored beside the value, as text. */
  readonly extra: string | null
}

const SLICE_BYTES = 1024 * 1024
/** Shorter texts are mixed by hand: the call of the native CRC alone costs as much as this many characters. */
const NATIVE_FROM = 128

/**
 * Guards a stored value, its times and what it belongs to against flipped bits (contract C3, `bit-flip`): 32 bits, seeded
 * with the rest; CRC-32 but for short texts. SQLite itself does not check what it reads.
 */
export function checksum(data: string | Uint8Array, guarded: Guarded): number {
  return sumOf(data, seedOf(guarded))
}

/** The same for a large value, giving the event loop a turn after each MiB. */
export async function checksumInSlices(data: Uint8Array, guarded: Guarded): Promise<number> {
  let crc = seedOf(guarded)
  for (const slice of slices(data)) {
    crc = crc32(slice, crc)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return crc
}

/** Views of a large array, a MiB each. */
export function* slices(data: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < data.byteLength; at += SLICE_BYTES) yield data.subarray(at, at + SLICE_BYTES)
}

function seedOf(guarded: Guarded): number {
  // The times go in by arithmetic: a second CRC over their bytes would cost as much as the first.
  let h = fold(0x9e3779b9 ^ guarded.format, guarded.loadedAt)
  h = fold(h, guarded.freshUntil)
  h = fold(h, guarded.staleMs)
  h = fold(h, guarded.errorMs)
  h = fold(h, guarded.keepMs)
  let sum = h >>> 0
  // A lone surrogate comes back from a file as the sign for "no character".
  if (guarded.scope !== null) sum = sumOf(guarded.scope.toWellFormed(), sum)
  if (guarded.extra !== null) sum = sumOf(guarded.extra, sum)
  return sum
}

function sumOf(data: string | Uint8Array, seed: number): number {
  return typeof data === 'string' && data.length < NATIVE_FROM ? mixText(data, seed) : crc32(data, seed)
}

/** Two sums in turns, each step invertible: whichever character changes, the result does. */
function mixText(text: string, seed: number): number {
  let [even, odd] = [seed ^ text.length, seed]
  for (let i = 1; i < text.length; i += 2) {
    even = Math.imul(even ^ text.charCodeAt(i - 1), 0x01000193)
    odd = Math.imul(odd ^ text.charCodeAt(i), 0x85ebca6b)
  }
  if (text.length % 2 === 1) even = Math.imul(even ^ text.charCodeAt(text.length - 1), 0x01000193)
  odd ^= odd >>> 15
  return (even ^ Math.imul(odd, 0xc2b2ae35) ^ (even >>> 16)) >>> 0
}

/** Mixes a time into the hash; every bit of it moves the result. */
function fold(h: number, time: number): number {
  let mixed = Math.imul(h ^ (time >>> 0), 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed ^ (time / 0x1_0000_0000), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
