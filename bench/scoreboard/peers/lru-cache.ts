import { LRUCache } from 'lru-cache'
import { lacking, type Peer } from '../peer.ts'

/** lru-cache with a fetch method. */
export const lruCache: Peer = {
  name: 'lru-cache',
  setup:
    '`fetchMethod` and `fetch()`; `allowStaleOnFetchRejection` and `noDeleteOnFetchRejection` where stale values are wanted, `allowStale` for refreshes, a `signal` for deadlines, `perf` for a clock',
  lacks: {
    clear: 'one cache holds one kind of data',
    tags: 'no tags',
    'tags on load': 'no tags',
    'second tier': 'memory only',
  },
  notes: {
    'stats-add-up': 'counted by the application from each call’s `status`',
    'empty-values-are-values': 'each in an object of the application’s: it takes no `null`',
  },
  open: ({ load, ttlMs = 60_000, staleMs = 0, refreshes = false, loadTimeoutMs, clock }) => {
    const cache = new LRUCache<string, { readonly value: unknown }>({
      max: 1000,
      ttl: ttlMs,
      ttlResolution: 0,
      fetchMethod: async (key) => ({ value: await load(key) }),
      ...(clock ? { perf: clock } : {}),
      ...(staleMs > 0
        ? {
            allowStaleOnFetchRejection: true,
            noDeleteOnFetchRejection: true,
            noDeleteOnStaleGet: true,
            allowStale: refreshes,
          }
        : {}),
    })
    const counts = { hits: 0, misses: 0 }
    return {
      get: async (key) => {
        const status: LRUCache.Status<string, { readonly value: unknown }> = {}
        const signal = loadTimeoutMs === undefined ? {} : { signal: AbortSignal.timeout(loadTimeoutMs) }
        const found = cache.fetch(key, { status, ...signal })
        if (status.fetch === 'hit' || status.fetch === 'stale') counts.hits++
        else counts.misses++
        return (await found)?.value
      },
      set: async (key, value) => cache.set(key, { value }),
      delete: async (key) => cache.delete(key),
      clear: lacking,
      invalidateTag: lacking,
      counts: () => counts,
      close: () => {},
    }
  },
}
