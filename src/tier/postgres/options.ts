import {
  COMPRESS_OPTIONS,
  resolveCompression,
  type CompressOptions,
  type Compression,
} from '../../codec/compression.ts'
import { invalidOption, refuseUnknown } from '../../errors.ts'
import { isPgClient, type PgClient } from '../../pg/client.ts'
import { isListenSource, type ListenSource } from '../../pg/listening.ts'
import { resolveSchema } from '../../pg/quote.ts'

/** Options of `postgres()`. */
export interface PostgresOptions extends CompressOptions {
  /** A `Pool` of `pg`, postgres.js or `PGlite`, connected by whoever made it and closed by them. */
  readonly client: PgClient
  /**
   * Brings the news of other processes at once: a function that makes a connected `pg` client, a PGlite, or postgres.js. A hint
   * only. Without it PostgreSQL is asked every 50 ms.
   */
  readonly listen?: ListenSource | undefined
  /** The schema of our tables, made when it is missing; caches with one schema share their entries. Defaults to `tidemark_cache`. */
  readonly schema?: string | undefined
  /** About so many entries at most; the oldest unread ones leave. Defaults to `Infinity`. */
  readonly maxEntries?: number | undefined
  /** About so many bytes of encoded values at most. Defaults to 1 GiB: the disk is that of other data as well. */
  readonly maxBytes?: number | undefined
  /** Larger encoded values are skipped and counted, before they are compressed. Defaults to 8 MiB. */
  readonly maxEntryBytes?: number | undefined
}

/** Our tables lie in this schema unless another one is named. */
export const DEFAULT_CACHE_SCHEMA = 'tidemark_cache'
/** Defaults to this many bytes for all encoded values together. */
export const DEFAULT_POSTGRES_MAX_BYTES: number = 1024 * 1024 * 1024
/** Defaults to this many bytes for one encoded value. */
export const DEFAULT_POSTGRES_MAX_ENTRY_BYTES: number = 8 * 1024 * 1024
/** PostgreSQL sends bytes as text of twice the length, in a message of at most 1 GiB; a string of V8 is half as long. */
const POSTGRES_ENTRY_BYTES_MAX = 200 * 1024 * 1024

/** The options, checked and completed. */
export interface PostgresSettings {
  readonly client: PgClient
  readonly listen: ListenSource | undefined
  readonly schema: string
  readonly maxEntries: number
  readonly maxBytes: number
  readonly maxEntryBytes: number
  readonly compression: Compression | undefined
}

/** Errors: `invalid-option`, `unknown-option`. */
export function resolvePostgres(options: PostgresOptions): PostgresSettings {
  refuseUnknown('postgres()', options, [
    'client',
    'listen',
    'schema',
    'maxEntries',
    'maxBytes',
    'maxEntryBytes',
    ...COMPRESS_OPTIONS,
  ])
  const { client, listen, maxEntryBytes = DEFAULT_POSTGRES_MAX_ENTRY_BYTES } = options
  if (!isPgClient(client))
    throw invalidOption('postgres.client', 'a Pool, Client, PGlite or postgres.js client', client)
  if (listen !== undefined && !isListenSource(listen))
    throw invalidOption('postgres.listen', 'a function that makes a connected client, a PGlite, or postgres.js', listen)
  if (!Number.isInteger(maxEntryBytes) || maxEntryBytes < 1 || maxEntryBytes > POSTGRES_ENTRY_BYTES_MAX) {
    throw invalidOption('postgres.maxEntryBytes', `a whole number from 1 to ${POSTGRES_ENTRY_BYTES_MAX}`, maxEntryBytes)
  }
  return {
    client,
    listen,
    schema: options.schema === undefined ? DEFAULT_CACHE_SCHEMA : resolveSchema(options.schema, 'postgres.schema'),
    maxEntries: limit('postgres.maxEntries', options.maxEntries ?? Number.POSITIVE_INFINITY),
    maxBytes: limit('postgres.maxBytes', options.maxBytes ?? DEFAULT_POSTGRES_MAX_BYTES),
    maxEntryBytes,
    compression: resolveCompression('postgres', options),
  }
}

function limit(option: string, value: unknown): number {
  if (typeof value === 'number' && value >= 1 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY))
    return value
  throw invalidOption(option, 'a whole number from 1, or Infinity', value)
}
