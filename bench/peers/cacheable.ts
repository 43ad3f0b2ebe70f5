import { Cacheable } from 'cacheable'
import type { Item } from '../item.ts'
import { TTL_MS, fill, type Peer, type PeerSource } from './peer.ts'

/** cacheable with its default in-memory store. */
export async function cacheable({ load, keys }: PeerSource): Promise<Peer> {
  const cache = new Cacheable({ ttl: TTL_MS })
  const getOrSet = (key: string): Promise<Item | undefined> => cache.getOrSet(key, () => load(key))
  await fill(keys, getOrSet)
  return {
    ways: [
      { label: 'cacheable getOrSet', read: getOrSet },
      { label: 'cacheable get', note: 'never loads', read: (key) => cache.get<Item>(key) },
    ],
  }
}
