import type { Redis } from 'ioredis'
import { composeStorage, createBlobStorage, createMemoryStorage, defineCachedFunction } from 'ocache'
import { lacking, type Peer } from '../peer.ts'
import { fromText, toText } from '../rich.ts'

type Storage = ReturnType<typeof createMemoryStorage>

/** ocache's cached function. */
export const ocache: Peer = {
  name: 'ocache',
  setup:
    '`createMemoryStorage()`, composed with `createBlobStorage()` over Redis; Redis alone for several instances, `swr` with `staleMaxAge` where stale values are wanted, `maxResolveTime` for loads',
  lacks: {
    set: 'values come from loads only',
    clear: 'keys are invalidated one by one',
    tags: 'no tags',
    'tags on load': 'no tags',
  },
  notes: {
    'mutation-cannot-poison': 'with the application’s own `serialize` and `transform`',
    'values-survive': 'the application writes the storage, and brings the serializer',
    'delete-seen-elsewhere': 'with Redis alone: it has no bus that would reach another instance’s memory',
    'stats-add-up': 'counted by the application from the `status` of entries',
  },
  open: async ({ load, name = 'things', ttlMs = 60_000, staleMs = 0, loadTimeoutMs, remote, ...needs }) => {
    const below = remote && overRedis(await remote.client(), remote.prefix, needs.isRich ?? false)
    const counts = { hits: 0, misses: 0 }
    const read = defineCachedFunction((key: string) => load(key), {
      name,
      integrity: name,
      getKey: (key) => key,
      maxAge: ttlMs / 1000,
      storage: below
        ? needs.isShared
          ? below
          : composeStorage([createMemoryStorage(), below], { onError: () => {} })
        : createMemoryStorage(),
      transform: ({ status, value }) => {
        if (status === 'hit' || status === 'stale') counts.hits++
        else counts.misses++
        return needs.isIsolated ? fromText(value as string) : value
      },
      onError: () => {},
      ...(needs.isIsolated ? { serialize: ({ value }: { value?: unknown }) => toText(value) } : {}),
      ...(staleMs > 0 ? { swr: true, staleMaxAge: staleMs / 1000 } : {}),
      ...(loadTimeoutMs === undefined ? {} : { maxResolveTime: loadTimeoutMs / 1000 }),
    })
    return {
      get: (key) => read(key),
      set: lacking,
      delete: (key) => read.invalidate(key),
      clear: lacking,
      invalidateTag: lacking,
      counts: () => counts,
      close: () => {},
    }
  },
}

function overRedis(client: Redis, prefix: string, isRich: boolean): Storage {
  const at = (key: string): string => `${prefix}${key}`
  const expiry = (ttl: number | undefined): ['PX', number] => ['PX', Math.ceil((ttl ?? 3600) * 1000)]
  if (!isRich) {
    return createBlobStorage({
      get: (key) => client.getBuffer(at(key)),
      set: async (key, value, { ttl } = {}) => {
        await (value === null ? client.unlink(at(key)) : client.set(at(key), Buffer.from(value), ...expiry(ttl)))
      },
    })
  }
  return {
    binary: true,
    get: async <T>(key: string) => {
      const text = await client.get(at(key))
      return text === null ? null : (fromText(text) as T)
    },
    set: async (key, value, { ttl } = {}) => {
      await (value === null ? client.unlink(at(key)) : client.set(at(key), toText(value), ...expiry(ttl)))
    },
  }
}
