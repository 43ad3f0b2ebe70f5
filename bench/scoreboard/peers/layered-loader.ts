import { HitStatisticsRecord, Loader } from 'layered-loader/core'
import { RedisCache, createNotificationPair } from 'layered-loader/redis'
import { lacking, type Peer } from '../peer.ts'

/** layered-loader with its Redis cache and its notifications. */
export const layeredLoader: Peer = {
  name: 'layered-loader',
  setup:
    '`inMemoryCache`, in front of `RedisCache` with `createNotificationPair`; `ttlLeftBeforeRefreshInMsecs` for refreshes, `timeoutInMsecs` where the tier may fail',
  lacks: {
    tags: 'groups, no tags',
    'tags on load': 'groups, no tags',
    'stale if error': 'nothing is handed out after its lifetime',
    'load deadline': 'no deadline for a load',
    'counts of all tiers': 'its statistics are of the in-memory cache',
  },
  notes: { 'hung-tier': '`timeoutInMsecs`, which the readme names, is set; this version does not read it' },
  open: async ({ load, name = 'things', ttlMs = 60_000, staleMs = 0, remote, mayFail }) => {
    const statistics = new HitStatisticsRecord()
    const ttlInMsecs = ttlMs + staleMs
    const refresh = staleMs > 0 ? { ttlLeftBeforeRefreshInMsecs: staleMs } : {}
    const notifications =
      remote &&
      createNotificationPair<unknown>({
        channel: `${remote.prefix}-${name}`,
        consumerRedis: await remote.client(),
        publisherRedis: await remote.client(),
      })
    const loader = new Loader<unknown>({
      inMemoryCache: {
        ttlInMsecs,
        ...refresh,
        cacheId: name,
        cacheType: 'lru-object-statistics',
        globalStatisticsRecord: statistics,
      },
      dataSourceGetOneFn: (key: string) => load(key),
      cacheUpdateErrorHandler: () => {},
      loadErrorHandler: () => {},
      ...(remote
        ? {
            asyncCache: new RedisCache<unknown>(await remote.client(), {
              prefix: `${remote.prefix}-${name}`,
              json: true,
              ttlInMsecs,
              ...refresh,
              ...(mayFail ? { timeoutInMsecs: 100 } : {}),
            }),
          }
        : {}),
      ...(notifications
        ? { notificationConsumer: notifications.consumer, notificationPublisher: notifications.publisher }
        : {}),
    })
    await loader.init()
    return {
      get: (key) => loader.get(key),
      set: (key, value) => loader.forceSetValue(key, value),
      delete: (key) => loader.invalidateCacheFor(key),
      clear: () => loader.invalidateCache(),
      invalidateTag: lacking,
      counts: () => {
        const days = Object.values(statistics.records[name] ?? {})
        return {
          hits: days.reduce((sum, day) => sum + day.hits, 0),
          misses: days.reduce((sum, day) => sum + day.misses, 0),
        }
      },
      close: () => {},
    }
  },
}
