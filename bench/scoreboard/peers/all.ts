import type { Peer } from '../peer.ts'
import { asyncCacheDedupe } from './async-cache-dedupe.ts'
import { bentocache } from './bentocache.ts'
import { cacheManager } from './cache-manager.ts'
import { cacheable } from './cacheable.ts'
import { cachifiedPeer } from './cachified.ts'
import { layeredLoader } from './layered-loader.ts'
import { lruCache } from './lru-cache.ts'
import { ocache } from './ocache.ts'
import { tidemark } from './tidemark.ts'

/** Every library of the board, ours first. */
export const PEERS: readonly Peer[] = [
  tidemark,
  bentocache,
  layeredLoader,
  ocache,
  cacheable,
  cacheManager,
  cachifiedPeer,
  asyncCacheDedupe,
  lruCache,
]
