import { Redis } from 'ioredis'
import { Client, Pool } from 'pg'
import { jsonl, sqlite, type TierOptions } from '../../src/index.ts'
import { postgres } from '../../src/postgres.ts'
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

/** The place of a cache in PostgreSQL, as one text. */
export function postgresPlace(url: string, schema: string): string {
  return `${url}#${schema}`
}

/** What is at a place: a file, a folder of segments, a schema in PostgreSQL, or a prefix in a Redis. */
export function sharedTiers(place: string): SharedTiers {
  if (place.startsWith('jsonl:')) {
    return { tiers: [{ tier: jsonl({ path: place.slice('jsonl:'.length) }) }], disconnect: () => {} }
  }
  if (place.startsWith('postgres')) return tiersInPostgres(place)
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

function tiersInPostgres(place: string): SharedTiers {
  const [connectionString, schema] = place.split('#') as [string, string]
  const client = new Pool({ connectionString, max: 4 })
  // A connection that is ended by the server while nobody uses it.
  client.on('error', () => {})
  const listen = async (): Promise<Client> => {
    const connection = new Client({ connectionString })
    await connection.connect()
    return connection
  }
  return {
    tiers: [{ tier: postgres({ client, listen, schema }), budget: '5s' }],
    disconnect: () => void client.end(),
  }
}
