import type { Entry } from '../entry.ts'
import { TidemarkError } from '../errors.ts'
import type { Stack } from '../stack/stack.ts'
import { outOfRange } from './reading.ts'
import type { Head, Shelf } from './snapshot.ts'

/** Refuses what can be no item of a list. Errors: `out-of-range`, `invalid-value`. */
export function checkItems(name: string, items: ReadonlyMap<number, unknown>): void {
  for (const [index, item] of items) {
    if (!Number.isInteger(index) || index < 0) throw outOfRange(name, index, undefined)
    if (item === undefined)
      throw new TidemarkError('invalid-value', `Cannot store undefined as item ${index} of ${name}.`)
  }
}

/** Stores items by index, and a head that speaks of them. Call inside the era's queue, after conflicts are settled. */
export async function putItems<K, T>(
  shelf: Shelf<K, T>,
  stack: Stack,
  key: K,
  id: string,
  items: ReadonlyMap<number, T>,
  now: number,
): Promise<void> {
  const known = await shelf.snapshot(id, true)
  const stamp = known.head?.stamp ?? crypto.randomUUID()
  const total = [...items.keys()].reduce((most, index) => Math.max(most, index + 1), known.head?.total ?? 0)
  const entries = new Map(
    [...items].map(([index, item]) => [index, shelf.itemEntry(key, id, index, item, stamp, now, known.items[index])]),
  )
  const identityAt = (index: number): Entry['identity'] => (entries.get(index) ?? known.items[index])?.identity
  const head: Head = { total, stamp, first: identityAt(0) ?? known.head?.first, last: identityAt(total - 1) }
  // In one turn, the head last: a tier that commits by turns takes all of it or nothing.
  await Promise.all([...entries.values(), shelf.headEntry(key, id, head, now)].map((entry) => stack.put(entry)))
}
