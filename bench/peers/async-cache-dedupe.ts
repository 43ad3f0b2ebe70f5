import { createCache } from 'async-cache-dedupe'
import { TTL_MS, fill, type Peer, type PeerSource } from './peer.ts'

/** async-cache-dedupe with its memory storage. */
export async function asyncCacheDedupe({ load, keys }: PeerSource): Promise<Peer> {
  const cache = createCache({
    ttl: TTL_MS / 1000,
    storage: { type: 'memory', options: { size: keys.length * 2 } },
  }).define('unit', (key: string) => load(key))
  await fill(keys, (key) => cache.unit(key))
  return { ways: [{ label: 'async-cache-dedupe', read: (key) => cache.unit(key) }] }
}
