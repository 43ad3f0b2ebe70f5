import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { RedisClient } from 'tidemark/redis'
import { itemOf, type Item } from '../item.ts'

const URL_BY_DEFAULT = 'redis://127.0.0.1:6379'
const PADDING = 'x'.repeat(950)

/** One library: what it does by hand, and the client for a tier. */
export interface Library {
  readonly name: 'ioredis' | 'node-redis'
  readonly client: RedisClient
  get(key: string): Promise<string | null>
  set(key: string, value: string, ttlMs: number): Promise<unknown>
}

/** Both libraries, connected to one Redis. */
export interface Clients {
  readonly version: string
  readonly where: string
  /** What all keys of this run begin with. */
  readonly prefix: string
  readonly libraries: readonly Library[]
  /** Removes what was stored, and closes the connections. */
  disconnect(): Promise<void>
}

/** A value of about 1 KB. */
export function valueOf(n: number, version = 0): Item & { readonly text: string } {
  return { ...itemOf(n, version), text: PADDING }
}

/** Connects, or fails with how to start a Redis. */
export async function connected(): Promise<Clients> {
  const url = process.env['REDIS_URL'] ?? URL_BY_DEFAULT
  const ioredis = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  await ioredis.connect().catch((error: unknown) => {
    throw new Error(`No Redis at ${url}: start one, or name it in REDIS_URL.`, { cause: error })
  })
  const nodeRedis = createClient({ url })
  await nodeRedis.connect()
  const prefix = `tidemark-bench-${process.pid}`
  return {
    version: /redis_version:(\S+)/.exec(await ioredis.info('server'))?.[1] ?? '?',
    where: new URL(url).host,
    prefix,
    libraries: [
      {
        name: 'ioredis',
        client: ioredis,
        get: (key) => ioredis.get(key),
        set: (key, value, ttlMs) => ioredis.set(key, value, 'PX', ttlMs),
      },
      {
        name: 'node-redis',
        client: nodeRedis,
        get: (key) => nodeRedis.get(key),
        set: (key, value, ttlMs) => nodeRedis.set(key, value, { expiration: { type: 'PX', value: ttlMs } }),
      },
    ],
    disconnect: async () => {
      for await (const keys of ioredis.scanStream({ match: `{${prefix}*`, count: 1000 }) as AsyncIterable<string[]>) {
        if (keys.length > 0) await ioredis.unlink(...keys)
      }
      ioredis.disconnect()
      nodeRedis.destroy()
    },
  }
}
