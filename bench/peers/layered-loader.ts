import { Loader } from 'layered-loader/core'
import type { Item } from '../item.ts'
import { TTL_MS, fill, type Peer, type PeerSource } from './peer.ts'

/** layered-loader with its in-memory cache, and the synchronous short-circuit of its chapter on high performance. */
export async function layeredLoader({ load, keys }: PeerSource): Promise<Peer> {
  const loader = new Loader<Item>({
    inMemoryCache: { ttlInMsecs: TTL_MS, maxItems: keys.length * 2 },
    dataSourceGetOneFn: (key: string) => load(key),
  })
  await fill(keys, (key) => loader.get(key))
  return {
    ways: [{ label: 'layered-loader get', read: (key) => loader.get(key) }],
    sync: [{ label: 'layered-loader getInMemoryOnly', read: (key) => loader.getInMemoryOnly(key) }],
  }
}
