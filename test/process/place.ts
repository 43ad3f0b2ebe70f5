import { Redis } from 'ioredis'
import { jsonl, sqlite, type TierOptions } from '../../src/index.ts'
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

/** The place of a cache in a folder of segments, as one text. */
export function jsonlPlace(path: string): string {
  return `jsonl:${path}`
}

/** What is at a place: a file, a folder of segments, or a prefix in a Redis. */
export function sharedTiers(place: string): SharedTiers {
  if (place.startsWith('jsonl:')) {
    return { tiers: [{ tier: jsonl({ path: place.slice('jsonl:'.length) }) }], disconnect: () => {} }
  }
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
