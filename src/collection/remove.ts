import type { Stack } from '../stack/stack.ts'
import type { Head, Shelf } from './snapshot.ts'

/**
 * Removes one collection from every tier, or marks it stale from `staleAt`. Returns how many items that were. The head
 * goes first: without it no item is trusted.
 */
export async function removeItems<K, T>(
  shelf: Shelf<K, T>,
  stack: Stack,
  key: K,
  id: string,
  staleAt: number | undefined,
): Promise<number> {
  const { name, scopeOf } = shelf.settings
  const tag = shelf.ownTag(key, id)
  const head = (await stack.get(shelf.headKey(id)))?.value as Head | undefined
  await stack.remove({ kind: 'key', key: shelf.headKey(id) }, staleAt)
  if (tag !== undefined) return stack.remove({ kind: 'tag', tag }, staleAt)
  const scope = scopeOf(key)
  if (!(await holdsOthers(shelf, stack, scope, id))) return stack.remove({ kind: 'scope', scope, name }, staleAt)
  let count = 0
  for (let i = 0; i < (head?.total ?? 0); i++)
    count += await stack.remove({ kind: 'key', key: shelf.itemKey(id, i) }, staleAt)
  return count
}

/** True when the scope, named like this collection, holds other collections of its name too. */
async function holdsOthers<K, T>(shelf: Shelf<K, T>, stack: Stack, scope: string, id: string): Promise<boolean> {
  for await (const info of stack.keys({ kind: 'scope', scope, name: shelf.headKey(id).name }))
    if (info.key.id !== id) return true
  return false
}
