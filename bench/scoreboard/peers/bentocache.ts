import { EventEmitter } from 'node:events'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import type { Peer } from '../peer.ts'
import { fromText, toText } from '../rich.ts'

/** bentocache in two levels with its bus. */
export const bentocache: Peer = {
  name: 'bentocache',
  setup:
    '`memoryDriver`, in front of `redisDriver` with `redisBusDriver`; `grace` and `graceBackoff` where stale values are wanted, `hardTimeout` and `lockTimeout` for loads, `l2CircuitBreakerDuration` where the tier may fail',
  lacks: {},
  notes: {
    'values-survive': 'with the application’s own `serializer`',
    'stats-add-up': 'counted by the application from the events',
  },
  open: async ({
    load,
    name = 'things',
    ttlMs = 60_000,
    staleMs,
    refreshes,
    loadTimeoutMs,
    tags,
    remote,
    ...needs
  }) => {
    const emitter = new EventEmitter()
    const counts = { hits: 0, misses: 0 }
    emitter.on('cache:hit', () => counts.hits++)
    emitter.on('cache:miss', () => counts.misses++)
    const store = bentostore().useL1Layer(memoryDriver({}))
    if (remote) {
      store.useL2Layer(redisDriver({ connection: await remote.client() }))
      const port = (await remote.client()).options.port as number
      store.useBus(redisBusDriver({ connection: { host: '127.0.0.1', port } }))
    }
    const bento = new BentoCache({
      default: 'main',
      prefix: remote?.prefix ?? 'scoreboard',
      emitter,
      ttl: ttlMs,
      ...(staleMs === undefined ? {} : { grace: staleMs, graceBackoff: '10s' }),
      ...(staleMs !== undefined && !refreshes ? { timeout: '5s' } : {}),
      ...(loadTimeoutMs === undefined ? {} : { hardTimeout: loadTimeoutMs, lockTimeout: loadTimeoutMs }),
      ...(needs.mayFail ? { l2CircuitBreakerDuration: '500ms' } : {}),
      ...(needs.isRich ? { serializer: { serialize: toText, deserialize: fromText } } : {}),
      stores: { main: store },
    })
    const things = bento.namespace(name)
    return {
      get: (key) => things.getOrSet({ key, factory: () => load(key), ...(tags ? { tags: tags(key) } : {}) }),
      set: (key, value) => things.set({ key, value, ...(tags ? { tags: tags(key) } : {}) }),
      delete: (key) => things.delete({ key }),
      clear: () => things.clear(),
      invalidateTag: (tag) => things.deleteByTag({ tags: [tag] }),
      counts: () => counts,
      close: () => bento.disconnectAll(),
    }
  },
}
