import { asyncCacheDedupe } from './async-cache-dedupe.ts'
import { bentocache } from './bentocache.ts'
import { cacheManager } from './cache-manager.ts'
import { cacheable } from './cacheable.ts'
import { cachifiedOverLru } from './cachified.ts'
import { layeredLoader } from './layered-loader.ts'
import { lruCache } from './lru-cache.ts'
import { ocache } from './ocache.ts'
import type { Peer, PeerSource } from './peer.ts'

/** Every library we measure ourselves against, filled and ready. */
export async function openPeers(source: PeerSource): Promise<Peer[]> {
  const peers: Peer[] = []
  for (const open of [
    layeredLoader,
    cacheManager,
    asyncCacheDedupe,
    ocache,
    cachifiedOverLru,
    bentocache,
    cacheable,
    lruCache,
  ])
    peers.push(await open(source))
  return peers
}
