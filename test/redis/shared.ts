import { Redis } from 'ioredis'
import { afterAll } from 'vitest'
import type { TierOptions } from 'tidemark'
import { redis, type IoredisClient } from 'tidemark/redis'
import { redisPlace } from '../process/place.ts'
import { requireService } from '../services.ts'

const RUN = `tidemark-test-${process.pid}-${Date.now()}`
/** These tests are about what happens, not how fast: a busy machine must not open a guard. */
const budget = '10s'

let waiting = 0
let files = 0

/** True when nothing that was asked of the shared Redis waits for its answer. */
export function redisIsIdle(): boolean {
  return waiting === 0
}

/** Tiers over the Redis everyone uses, each under a prefix of its own for each place; `undefined` where there is none. */
export async function sharedRedis(): Promise<((place: number) => TierOptions) | undefined> {
  let make: ((place: number) => TierOptions) | undefined
  await requireService('redis', (url) => {
    const client = new Redis(url, { lazyConnect: true })
    const counted = counting(client)
    const prefix = `${RUN}-${files++}`
    make = (place) => ({ tier: redis({ client: counted, prefix: `${prefix}-${place}` }), budget })
    afterAll(async () => {
      await removeKeys(client, prefix)
      client.disconnect()
    })
  })
  return make
}

/** The same as places for other processes; see `test/process/place.ts`. */
export async function sharedPlaces(): Promise<((place: number) => string) | undefined> {
  let placeOf: ((place: number) => string) | undefined
  await requireService('redis', (url) => {
    const prefix = `${RUN}-${files++}`
    placeOf = (place) => redisPlace(url, `${prefix}-${place}`)
    afterAll(async () => {
      const client = new Redis(url)
      await removeKeys(client, prefix)
      client.disconnect()
    })
  })
  return placeOf
}

/** Removes all keys of a prefix, and of those that begin with it. */
export async function removeKeys(client: Redis, prefix: string): Promise<void> {
  for await (const keys of client.scanStream({ match: `{${prefix}*`, count: 1000 }) as AsyncIterable<string[]>) {
    if (keys.length > 0) await client.unlink(...keys)
  }
}

/** The client with a count of what waits for an answer. */
function counting(client: Redis & Pick<IoredisClient, 'evalBuffer' | 'evalshaBuffer'>): IoredisClient {
  const counted = async <T>(answer: Promise<T>): Promise<T> => {
    waiting++
    try {
      return await answer
    } finally {
      waiting--
    }
  }
  return {
    isCluster: false,
    on: (event, listener) => client.on(event, listener),
    off: (event, listener) => client.off(event, listener),
    subscribe: (channel) => client.subscribe(channel),
    unsubscribe: (channel) => client.unsubscribe(channel),
    getBuffer: (key) => counted(client.getBuffer(key)),
    mgetBuffer: (...keys) => counted(client.mgetBuffer(...keys)),
    evalBuffer: (script, keys, ...args) => counted(Promise.resolve(client.evalBuffer?.(script, keys, ...args))),
    evalshaBuffer: (hash, keys, ...args) => counted(Promise.resolve(client.evalshaBuffer?.(hash, keys, ...args))),
  }
}
