// The measured loops, the same for all: code that is compiled for each contender alone was tried and changes no ratio.

import type { Item } from '../item.ts'

/** Awaits a read of every key and returns nanoseconds per read. */
export async function awaited(
  read: (key: string) => Promise<Item | null | undefined>,
  keys: readonly string[],
): Promise<number> {
  let sum = 0
  const startedAt = process.hrtime.bigint()
  for (const key of keys) sum += (await read(key))?.battery ?? Number.NaN
  const tookNs = Number(process.hrtime.bigint() - startedAt)
  return checked(sum, tookNs, keys)
}

/** Reads every key at once and returns nanoseconds per read. */
export function immediate(read: (key: string) => Item | null | undefined, keys: readonly string[]): number {
  let sum = 0
  const startedAt = process.hrtime.bigint()
  for (const key of keys) sum += read(key)?.battery ?? Number.NaN
  const tookNs = Number(process.hrtime.bigint() - startedAt)
  return checked(sum, tookNs, keys)
}

/** A miss makes the sum no number, and using the sum keeps the reads from being optimised away. */
function checked(sum: number, tookNs: number, keys: readonly string[]): number {
  if (Number.isNaN(sum)) throw new Error('A read that was to be a hit found nothing.')
  return tookNs / keys.length
}
