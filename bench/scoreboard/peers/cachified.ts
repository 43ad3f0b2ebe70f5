import { cachified, createCacheEntry, totalTtl, type Cache, type CacheEntry } from '@epic-web/cachified'
import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { lacking, type Peer } from '../peer.ts'
import { fromText, toText } from '../rich.ts'

/** cachified over lru-cache, or over Redis where a tier is to outlive the process. */
export const cachifiedPeer: Peer = {
  name: '@epic-web/cachified',
  setup:
    'lru-cache as in its readme; Redis alone, stored as its adapter for Redis does, where a scenario has a second tier; `staleWhileRevalidate` where stale values are wanted',
  lacks: {
    clear: 'clearing is left to the store',
    tags: 'no tags',
    'tags on load': 'no tags',
    'memory in front of it': 'one store at a time',
    'load deadline': 'no deadline for a load',
  },
  notes: {
    'values-survive': 'the application writes the store, and brings the serializer',
    'stats-add-up': 'counted by the application from the reporter',
  },
  open: async ({ load, ttlMs = 60_000, staleMs = 0, remote, isRich = false }) => {
    const cache = remote ? overRedis(await remote.client(), remote.prefix, isRich) : overLru()
    const counts = { hits: 0, misses: 0 }
    return {
      get: (key) =>
        cachified(
          { key, cache, ttl: ttlMs, staleWhileRevalidate: staleMs, getFreshValue: () => load(key) },
          () => (event) => {
            if (event.name === 'getCachedValueSuccess') counts.hits++
            if (event.name === 'getCachedValueEmpty' || event.name === 'getCachedValueOutdated') counts.misses++
          },
        ),
      set: async (key, value) => cache.set(key, createCacheEntry(value, { ttl: ttlMs, swr: staleMs })),
      delete: async (key) => cache.delete(key),
      clear: lacking,
      invalidateTag: lacking,
      counts: () => counts,
      close: () => {},
    }
  },
}

function overLru(): Cache {
  const entries = new LRUCache<string, CacheEntry>({ max: 1000 })
  return {
    set: (key, value) => {
      const ttl = totalTtl(value?.metadata)
      return entries.set(key, value, { ttl: ttl === Infinity ? 0 : ttl, start: value?.metadata?.createdTime })
    },
    get: (key) => entries.get(key),
    delete: (key) => entries.delete(key),
  }
}

function overRedis(client: Redis, prefix: string, isRich: boolean): Cache {
  const toStored = isRich ? toText : JSON.stringify
  const fromStored = isRich ? fromText : JSON.parse
  return {
    set: (key, value) => client.set(`${prefix}${key}`, toStored(value), 'PX', Math.ceil(totalTtl(value.metadata))),
    get: async (key) => {
      const stored = await client.get(`${prefix}${key}`)
      return stored === null ? null : (fromStored(stored) as CacheEntry)
    },
    delete: (key) => client.unlink(`${prefix}${key}`),
  }
}
