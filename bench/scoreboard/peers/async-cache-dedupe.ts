import { createCache } from 'async-cache-dedupe'
import type { Peer } from '../peer.ts'
import { fromText, toText } from '../rich.ts'

/** async-cache-dedupe with its memory or its Redis storage. */
export const asyncCacheDedupe: Peer = {
  name: 'async-cache-dedupe',
  setup:
    'its memory storage; its Redis storage alone where a scenario has a second tier; `invalidation` and `references` for tags, `stale` where stale values are wanted',
  lacks: {
    'load deadline': 'no deadline for a load',
    'memory in front of it': 'its storages cannot be layered',
    'lifetimes in milliseconds': 'lifetimes are whole seconds',
  },
  notes: {
    'mutation-cannot-poison': 'with the application’s own `transformer`',
    'values-survive': 'with the application’s own `transformer`',
    'delete-seen-elsewhere': 'with Redis alone: its storages cannot be layered',
    'stats-add-up': 'counted by the application in `onHit` and `onMiss`',
  },
  // Lifetimes are whole seconds, counted from a second's beginning.
  tickMs: 2000,
  open: async ({ load, ttlMs = 60_000, staleMs = 0, tags, remote, ...needs }) => {
    const name = `${remote?.prefix ?? ''}${needs.name ?? 'things'}`
    const counts = { hits: 0, misses: 0 }
    const ttl = Math.ceil(ttlMs / 1000)
    const cache = createCache({
      ttl,
      stale: Math.ceil(staleMs / 1000),
      onHit: () => counts.hits++,
      onMiss: () => counts.misses++,
      storage: remote
        ? {
            type: 'redis',
            options: {
              client: await remote.client(),
              ...(tags ? { invalidation: { referencesTTL: 60 } } : {}),
            },
          }
        : { type: 'memory', options: { invalidation: tags !== undefined } },
      ...(needs.isRich || needs.isIsolated
        ? { transformer: { serialize: toText, deserialize: fromText as never } }
        : {}),
    }).define(name, { ...(tags ? { references: (key: string) => tags(key) } : {}) }, (key: string) => load(key))
    const read = (cache as unknown as Record<string, (key: string) => Promise<unknown>>)[name] as (
      key: string,
    ) => Promise<unknown>
    return {
      get: read,
      set: (key, value) => cache.set(name, `${name}~${key}`, value, ttl, tags?.(key)),
      delete: (key) => cache.clear(name, key),
      clear: () => cache.clear(name),
      invalidateTag: (tag) => cache.invalidateAll(tag),
      counts: () => counts,
      close: () => {},
    }
  },
}
