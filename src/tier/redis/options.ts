import {
  COMPRESS_OPTIONS,
  resolveCompression,
  type CompressOptions,
  type Compression,
} from '../../codec/compression.ts'
import { invalidOption, refuseUnknown } from '../../errors.ts'
import { isRedisClient, type RedisClient } from './client.ts'

/** Options of `redis()`. */
export interface RedisOptions extends CompressOptions {
  /** A client of ioredis or node-redis, connected by whoever made it and closed by them. */
  readonly client: RedisClient
  /** A second connection for the news of other processes, such as `client.duplicate()`. Without it Redis is asked every 50 ms. */
  readonly subscriber?: RedisClient | undefined
  /** What all keys begin with; caches with one prefix share their entries. Defaults to `tidemark`. */
  readonly prefix?: string | undefined
  /** Larger encoded values are skipped and counted, before they are compressed. Defaults to 8 MiB: what a network of 1 Gbit/s carries within the budget. */
  readonly maxEntryBytes?: number | undefined
}

/** Defaults to this many bytes for one encoded value. */
export const DEFAULT_REDIS_MAX_ENTRY_BYTES: number = 8 * 1024 * 1024
const DEFAULT_PREFIX = 'tidemark'
/** What one string of Redis may hold, without room for what is stored beside the value. */
const REDIS_ENTRY_BYTES_MAX = 511 * 1024 * 1024

/** The options, checked and completed. */
export interface RedisSettings {
  readonly client: RedisClient
  readonly subscriber: RedisClient | undefined
  readonly prefix: string
  readonly maxEntryBytes: number
  readonly compression: Compression | undefined
}

/** Errors: `invalid-option`, `unknown-option`. */
export function resolveRedis(options: RedisOptions): RedisSettings {
  refuseUnknown('redis()', options, ['client', 'subscriber', 'prefix', 'maxEntryBytes', ...COMPRESS_OPTIONS])
  const { client, subscriber, prefix = DEFAULT_PREFIX, maxEntryBytes = DEFAULT_REDIS_MAX_ENTRY_BYTES } = options
  if (!isRedisClient(client)) throw invalidOption('redis.client', 'a client of ioredis or node-redis', client)
  if (subscriber !== undefined && (!isRedisClient(subscriber) || (subscriber as unknown) === client)) {
    throw invalidOption('redis.subscriber', 'a connection of its own, such as client.duplicate()', subscriber)
  }
  if (typeof prefix !== 'string' || prefix === '' || !prefix.isWellFormed() || /[{}\s\0]/.test(prefix)) {
    throw invalidOption('redis.prefix', 'a text without braces and spaces', prefix)
  }
  if (!Number.isInteger(maxEntryBytes) || maxEntryBytes < 1 || maxEntryBytes > REDIS_ENTRY_BYTES_MAX) {
    throw invalidOption('redis.maxEntryBytes', `a whole number from 1 to ${REDIS_ENTRY_BYTES_MAX}`, maxEntryBytes)
  }
  return { client, subscriber, prefix, maxEntryBytes, compression: resolveCompression('redis', options) }
}
