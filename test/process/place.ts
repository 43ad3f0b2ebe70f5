import { Redis } from 'ioredis'
import { sqlite, type TierOptions } from '../../src/index.ts'
import { redis } from '../../src/redis.ts'

/** The tier that processes at one place share. */
export interface SharedTiers {
  readonly tiers: readonly TierOptions[]
  readonly disconnect: () => void
}

/** The place of a cache in Redis, as one text. */
export function redisPlace(url: string, prefix: string): string {
  return `${url}#${prefix}`
}

/** What is at a place: a file, or a prefix in a Redis. */
export function sharedTiers(place: string): SharedTiers {
  if (!place.startsWith('redis://')) return { tiers: [{ tier: sqlite({ path: place }) }], disconnect: () => {} }
  const [url, prefix] = place.split('#') as [string, string]
  const client = new Redis(url)
  const subscriber = client.duplicate()
  return {
    // Four processes on two cores take their time.
    tiers: [{ tier: redis({ client, subscriber, prefix }), budget: '5s' }],
    disconnect: () => {
      client.disconnect()
      subscriber.disconnect()
    },
  }
}
