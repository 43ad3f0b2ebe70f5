import { createCache } from 'cache-manager'
import { Keyv, createKeyv } from 'cacheable'
import { keyvRedis } from '../keyv-redis.ts'
import { lacking, type Peer } from '../peer.ts'

/** cache-manager over two Keyvs. */
export const cacheManager: Peer = {
  name: 'cache-manager',
  setup:
    '`createKeyv()` of cacheable as memory, in front of a Keyv over Redis; Redis alone for several instances, `refreshThreshold` for refreshes, `nonBlocking` where the tier may fail',
  lacks: {
    tags: 'no tags',
    'tags on load': 'no tags',
    'stale if error': 'nothing is handed out after its lifetime',
    'load deadline': 'no deadline for a load',
    counts: 'nothing is counted',
    'counts of all tiers': 'nothing is counted',
  },
  notes: {
    'mutation-cannot-poison': 'with `new Keyv()`, which keeps text, as the store',
    'values-survive': 'with the application’s own `serialize` and `deserialize` of Keyv',
    'delete-seen-elsewhere': 'with Redis alone: it has no bus that would reach another instance’s memory',
  },
  open: async ({
    load,
    name = 'things',
    ttlMs = 60_000,
    staleMs = 0,
    remote,
    mayFail,
    isShared,
    isIsolated,
    isRich = false,
  }) => {
    const below = remote && keyvRedis(await remote.client(), `${remote.prefix}${name}`, isRich)
    const stores = [...(below && isShared ? [] : [isIsolated ? new Keyv() : createKeyv()]), ...(below ? [below] : [])]
    const cache = createCache({
      ttl: ttlMs + staleMs,
      stores,
      ...(staleMs > 0 ? { refreshThreshold: staleMs } : {}),
      ...(mayFail ? { nonBlocking: true } : {}),
    })
    return {
      get: (key) => cache.wrap(key, () => load(key)),
      set: (key, value) => cache.set(key, value),
      delete: (key) => cache.del(key),
      clear: () => cache.clear(),
      invalidateTag: lacking,
      counts: lacking,
      close: () => {},
    }
  },
}
