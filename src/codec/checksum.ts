import { crc32 } from 'node:zlib'
import type { Lifetimes } from '../entry.ts'

/** What a checksum covers besides the value. */
export interface Guarded extends Lifetimes {
  readonly loadedAt: number
  readonly scope?: string | undefined
  /** The rest of what is stored beside the value, as text. */
  readonly extra?: string | null | undefined
}

const SLICE_BYTES = 1024 * 1024

/**
 * Guards a stored value, its times and what it belongs to against flipped bits (contract C3, `bit-flip`): CRC-32, seeded with the
 * rest. SQLite itself does not check what it reads.
 */
export function checksum(data: string | Uint8Array, guarded: Guarded): number {
  return crc32(data, seedOf(guarded))
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
  let h = fold(0x9e3779b9, guarded.loadedAt)
  h = fold(h, guarded.freshUntil)
  h = fold(h, guarded.staleUntil)
  h = fold(h, guarded.errorUntil)
  h = fold(h, guarded.keepUntil)
  let crc = h >>> 0
  if (guarded.scope !== undefined) crc = crc32(guarded.scope, crc)
  if (guarded.extra) crc = crc32(guarded.extra, crc)
  return crc
}

/** Mixes a time into the hash; every bit of it moves the result. */
function fold(h: number, time: number): number {
  let mixed = Math.imul(h ^ (time >>> 0), 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed ^ (time / 0x1_0000_0000), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
