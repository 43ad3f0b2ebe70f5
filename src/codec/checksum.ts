import { crc32 } from 'node:zlib'

/** What a checksum covers besides the value: its times in milliseconds, and what it belongs to. */
export interface Guarded {
  readonly loadedAt: number
  readonly freshUntil: number
  readonly staleMs: number
  readonly errorMs: number
  readonly keepMs: number
  readonly scope: string | null
  /** The rest of what is stored beside the value, as text. */
  readonly extra: string | null
}

const SLICE_BYTES = 1024 * 1024

/**
 * Guards a stored value, its times and what it belongs to against flipped bits (contract C3, `bit-flip`): CRC-32, seeded
 * with the rest. SQLite itself does not check what it reads.
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
  h = fold(h, guarded.staleMs)
  h = fold(h, guarded.errorMs)
  h = fold(h, guarded.keepMs)
  let crc = h >>> 0
  if (guarded.scope !== null) crc = crc32(guarded.scope, crc)
  if (guarded.extra !== null) crc = crc32(guarded.extra, crc)
  return crc
}

/** Mixes a time into the hash; every bit of it moves the result. */
function fold(h: number, time: number): number {
  let mixed = Math.imul(h ^ (time >>> 0), 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed ^ (time / 0x1_0000_0000), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
