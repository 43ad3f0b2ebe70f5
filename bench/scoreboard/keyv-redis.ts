import type { Redis } from 'ioredis'
import { Keyv } from 'keyv'
import { fromText, toText } from './rich.ts'

/** A Keyv over Redis that stores as `@keyv/redis` does: text under `namespace::key`, with `PX`. */
export function keyvRedis(client: Redis, namespace: string, isRich: boolean): Keyv {
  const at = (key: string): string => `${namespace}::${key}`
  const store = {
    opts: {},
    namespace,
    on: () => store,
    get: async (key: string) => (await client.get(at(key))) ?? undefined,
    set: (key: string, value: string, ttlMs?: number) =>
      ttlMs ? client.set(at(key), value, 'PX', Math.ceil(ttlMs)) : client.set(at(key), value),
    delete: async (key: string) => (await client.unlink(at(key))) > 0,
    clear: async () => {
      for await (const keys of client.scanStream({ match: `${namespace}::*` }) as AsyncIterable<string[]>)
        if (keys.length > 0) await client.unlink(...keys)
    },
  }
  const keyv = new Keyv({
    store,
    namespace,
    useKeyPrefix: false,
    ...(isRich ? { serialize: toText, deserialize: fromText as never } : {}),
  })
  keyv.on('error', () => {})
  return keyv
}
