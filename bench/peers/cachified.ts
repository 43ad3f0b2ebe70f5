import { cachified, totalTtl, type Cache, type CacheEntry } from '@epic-web/cachified'
import { LRUCache } from 'lru-cache'
import type { Item } from '../item.ts'
import { TTL_MS, fill, type Peer, type PeerSource } from './peer.ts'

/** cachified over lru-cache, wired as in its readme. */
export async function cachifiedOverLru({ load, keys }: PeerSource): Promise<Peer> {
  const entries = new LRUCache<string, CacheEntry>({ max: keys.length * 2 })
  const cache: Cache = {
    set: (key, value) => {
      const ttl = totalTtl(value?.metadata)
      return entries.set(key, value, { ttl: ttl === Infinity ? 0 : ttl, start: value?.metadata?.createdTime })
    },
    get: (key) => entries.get(key),
    delete: (key) => entries.delete(key),
  }
  const read = (key: string): Promise<Item> => cachified({ key, cache, ttl: TTL_MS, getFreshValue: () => load(key) })
  await fill(keys, read)
  return { ways: [{ label: 'cachified', note: 'over lru-cache', read }] }
}
