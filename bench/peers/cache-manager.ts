import { createCache } from 'cache-manager'
import type { Item } from '../item.ts'
import { TTL_MS, fill, type Peer, type PeerSource } from './peer.ts'

/** cache-manager with its default in-memory store. */
export async function cacheManager({ load, keys }: PeerSource): Promise<Peer> {
  const cache = createCache({ ttl: TTL_MS })
  const wrapped = (key: string): Promise<Item> => cache.wrap(key, () => load(key))
  await fill(keys, wrapped)
  return {
    ways: [
      { label: 'cache-manager wrap', read: wrapped },
      { label: 'cache-manager get', note: 'never loads', read: (key) => cache.get<Item>(key) },
    ],
  }
}
