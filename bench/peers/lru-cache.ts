import { LRUCache } from 'lru-cache'
import type { Item } from '../item.ts'
import { TTL_MS, fill, type Peer, type PeerSource } from './peer.ts'

/** lru-cache with a fetch method, as its readme shows for read-through. */
export async function lruCache({ load, keys }: PeerSource): Promise<Peer> {
  const cache = new LRUCache<string, Item>({ max: keys.length * 2, ttl: TTL_MS, fetchMethod: (key) => load(key) })
  await fill(keys, (key) => cache.fetch(key))
  return {
    ways: [{ label: 'lru-cache fetch', read: (key) => cache.fetch(key) }],
    sync: [{ label: 'lru-cache get', read: (key) => cache.get(key) }],
  }
}
