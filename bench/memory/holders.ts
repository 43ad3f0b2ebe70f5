import { LRUCache } from 'lru-cache'
import { memory } from 'tidemark'
import { itemOf, type Item } from '../item.ts'
import { TTL_MS } from '../peers/peer.ts'
import { openCache } from '../sqlite/cache.ts'

/** Something that holds entries. Whatever `hold` returns is kept alive while it is measured. */
export type Holder = (keys: readonly string[], items: readonly Item[]) => unknown

const LEAVING = 1_000

/** Those that are compared. */
export const HOLDERS = {
  Map: (keys, items) => new Map(keys.map((key, i) => [key, items[i] as Item])),
  'lru-cache': (keys, items) => held(new LRUCache<string, Item>({ max: keys.length }), keys, items),
  'lru-cache with ttl': (keys, items) =>
    held(new LRUCache<string, Item>({ max: keys.length, ttl: TTL_MS }), keys, items),
  'tidemark, evicting': async (keys, items) => {
    const { units } = openCache([memory({ maxEntries: keys.length })])
    // These leave again: what is remembered of keys that left is counted too.
    for (let n = 0; n < LEAVING; n++) await units.set(`leaving:${n}`, itemOf(n))
    for (const [i, key] of keys.entries()) await units.set(key, items[i] as Item)
    return units
  },
  'tidemark, never full': async (keys, items) => {
    const { units } = openCache([memory({ maxEntries: keys.length })])
    for (const [i, key] of keys.entries()) await units.set(key, items[i] as Item)
    return units
  },
} satisfies Record<string, Holder>

/** One of {@link HOLDERS}. */
export type HolderName = keyof typeof HOLDERS

function held(cache: LRUCache<string, Item>, keys: readonly string[], items: readonly Item[]): LRUCache<string, Item> {
  for (const [i, key] of keys.entries()) cache.set(key, items[i])
  return cache
}
