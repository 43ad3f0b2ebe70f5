import { existsSync } from 'node:fs'
import { jsonl } from '../tier/jsonl/jsonl.ts'
import { postgres } from '../tier/postgres/postgres.ts'
import type { NodeRedisClient, RedisClient } from '../tier/redis/client.ts'
import { redis } from '../tier/redis/redis.ts'
import { sqlite } from '../tier/sqlite/sqlite.ts'
import type { Tier } from '../tier/tier.ts'
import { UsageError } from './command.ts'
import { poolOf } from './database.ts'
import { importFromProject } from './project-package.ts'

/** A tier that was named on the command line. */
export interface NamedTier {
  readonly tier: Tier
  /** Lets go of it, and of the client that was made for it. */
  readonly close: () => Promise<void>
}

/** How a tier is named. */
export const TIER_USAGE = 'sqlite:FILE|jsonl:FOLDER|redis://…|postgres://…'

/**
 * The tier of `sqlite:FILE`, `jsonl:FOLDER`, `redis://HOST:PORT` (`rediss:`, `redis:URL` as well) or `postgres://HOST/DATABASE`.
 * `mustExist`: a file that is not there is a mistake.
 * `prefix`: that of Redis, the schema in PostgreSQL.
 */
export async function namedTier(
  text: string,
  { option, mustExist, prefix }: { option: string; mustExist: boolean; prefix: string | undefined },
): Promise<NamedTier> {
  const [kind, path] = splitAt(text, text.indexOf(':'))
  if (kind === 'redis' || kind === 'rediss') return redisTier(path.startsWith('//') ? text : path, prefix)
  if (kind === 'postgres' || kind === 'postgresql') return postgresTier(text, prefix)
  if ((kind !== 'sqlite' && kind !== 'jsonl') || path === '') throw new UsageError(`--${option} takes ${TIER_USAGE}.`)
  if (mustExist && !existsSync(path)) throw new UsageError(`--${option}: there is no ${path}.`)
  const tier = kind === 'sqlite' ? sqlite({ path }) : jsonl({ path })
  return { tier, close: async () => tier.close() }
}

function splitAt(text: string, at: number): [string, string] {
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

interface Connected {
  readonly client: RedisClient
  readonly end: () => unknown
}

async function postgresTier(url: string, schema: string | undefined): Promise<NamedTier> {
  const client = await poolOf(url)
  const tier = postgres({ client, schema })
  return {
    tier,
    close: async () => {
      await tier.close()
      await client.end()
    },
  }
}

async function redisTier(url: string, prefix: string | undefined): Promise<NamedTier> {
  if (!URL.canParse(url)) throw new UsageError('Name Redis by its address: redis://HOST:PORT.')
  const { client, end } = await connect(url)
  const tier = redis({ client, prefix })
  return {
    tier,
    close: async () => {
      await tier.close()
      await end()
    },
  }
}

/** With `ioredis` or `redis`, whichever the project has. */
async function connect(url: string): Promise<Connected> {
  const ioredis = (await importFromProject('ioredis')) as { default: IoredisModule } | undefined
  if (ioredis) return connectIoredis(ioredis.default, url)
  const nodeRedis = (await importFromProject('redis')) as NodeRedisModule | undefined
  if (nodeRedis) return connectNodeRedis(nodeRedis, url)
  throw new UsageError(
    'A client is needed for this: npm install ioredis, or redis. Neither was found from this folder.',
  )
}

interface IoredisModule {
  readonly Redis: new (
    url: string,
    options: object,
  ) => RedisClient & { connect(): Promise<void>; disconnect(): void; on(event: 'error', listener: () => void): unknown }
}

async function connectIoredis({ Redis }: IoredisModule, url: string): Promise<Connected> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  let reason: unknown
  client.on('error', (...said: unknown[]) => (reason = said[0]))
  try {
    await client.connect()
  } catch (error) {
    // What it rejects with is only that the connection is closed.
    throw reason ?? error
  }
  return { client, end: () => client.disconnect() }
}

interface NodeRedisModule {
  readonly createClient: (options: object) => NodeRedisClient & {
    connect(): Promise<unknown>
    close(): Promise<void>
  }
}

async function connectNodeRedis({ createClient }: NodeRedisModule, url: string): Promise<Connected> {
  const client = createClient({ url, socket: { reconnectStrategy: false } })
  // What fails is told by the call that needed it.
  client.on('error', () => {})
  await client.connect()
  return { client, end: () => client.close() }
}
