import type { Entry } from '../entry.ts'
import type { Stack } from '../stack/stack.ts'
import type { Head, Shelf } from './snapshot.ts'

/** Stores items by index, and a head that speaks of them. Call inside the era's queue, after conflicts are settled. */
export async function putItems<K, T>(
  shelf: Shelf<K, T>,
  stack: Stack,
  key: K,
  id: string,
  items: ReadonlyMap<number, T>,
): Promise<void> {
  const known = await shelf.snapshot(id, true)
  const stamp = known.head?.stamp ?? crypto.randomUUID()
  const total = [...items.keys()].reduce((most, index) => Math.max(most, index + 1), known.head?.total ?? 0)
  const entries = new Map(
    [...items].map(([index, item]) => [index, shelf.itemEntry(key, id, index, item, stamp, known.items[index])]),
  )
  const identityAt = (index: number): Entry['identity'] => (entries.get(index) ?? known.items[index])?.identity
  const head: Head = { total, stamp, first: identityAt(0) ?? known.head?.first, last: identityAt(total - 1) }
  // In one turn, the head last: a tier that commits by turns takes all of it or nothing.
  await Promise.all([...entries.values(), shelf.headEntry(key, id, head)].map((entry) => stack.put(entry)))
}
