import { Cacheable, Keyv, type CacheableSyncOptions } from 'cacheable'
import type { Redis } from 'ioredis'
import { keyvRedis } from '../keyv-redis.ts'
import type { Peer } from '../peer.ts'

type MessageProvider = Extract<CacheableSyncOptions['qified'], readonly unknown[]>[number]
type TopicHandler = Parameters<MessageProvider['subscribe']>[1]
type Message = Parameters<TopicHandler['handler']>[0]

/** cacheable in two layers with its sync. */
export const cacheable: Peer = {
  name: 'cacheable',
  setup:
    'its memory, in front of a Keyv over Redis; `throwErrors: "function"`, `tags: true`, `sync` over pub/sub for several instances, `nonBlocking` where the tier may fail',
  lacks: {
    'tags on load': '`getOrSet` and `wrap` take no tags; `set` does',
    'stale if error': 'nothing is handed out after its lifetime',
    'background refresh': 'values are not refreshed before or after they end',
    'load deadline': 'no deadline for a load',
  },
  notes: {
    'values-survive': 'with the application’s own `serialize` and `deserialize` of Keyv',
    'mutation-cannot-poison': 'with `new Keyv()`, which keeps text, as `primary`',
  },
  open: async ({
    load,
    name = 'things',
    ttlMs = 60_000,
    remote,
    tags,
    mayFail,
    isShared,
    isIsolated,
    isRich = false,
  }) => {
    const namespace = `${remote?.prefix ?? ''}${name}`
    const cache = new Cacheable({
      ttl: ttlMs,
      stats: true,
      tags: tags !== undefined,
      namespace,
      ...(isIsolated ? { primary: new Keyv() } : {}),
      ...(remote ? { secondary: keyvRedis(await remote.client(), namespace, isRich) } : {}),
      ...(mayFail ? { nonBlocking: true } : {}),
      ...(remote && isShared ? { sync: { qified: pubSub(await remote.client(), await remote.client()) } } : {}),
    })
    cache.on('error', () => {})
    return {
      get: (key) => cache.getOrSet(key, () => load(key), { throwErrors: 'function' }),
      set: (key, value) => cache.set(key, value, tags ? { tags: tags(key) } : {}),
      delete: (key) => cache.delete(key),
      clear: () => cache.clear(),
      invalidateTag: (tag) => cache.tags.invalidateTag(tag),
      counts: () => ({ hits: cache.stats.hits, misses: cache.stats.misses }),
      close: () => cache.disconnect(),
    }
  },
}

/** What `@qified/redis` does: each topic a channel, each message JSON. */
function pubSub(publisher: Redis, subscriber: Redis): MessageProvider {
  const subscriptions = new Map<string, TopicHandler[]>()
  const id = 'redis'
  subscriber.on('message', (topic: string, text: string) => {
    const message = { ...(JSON.parse(text) as Message), providerId: id }
    for (const { handler } of subscriptions.get(topic) ?? []) void handler(message)
  })
  return {
    id,
    subscriptions,
    publish: async (topic, message) => void (await publisher.publish(topic, JSON.stringify(message))),
    subscribe: async (topic, handler) => {
      subscriptions.set(topic, [...(subscriptions.get(topic) ?? []), handler])
      await subscriber.subscribe(topic)
    },
    unsubscribe: async (topic) => void (await subscriber.unsubscribe(topic)),
    disconnect: async () => {},
  }
}
