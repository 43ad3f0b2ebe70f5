import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  COMPRESS_OPTIONS,
  resolveCompression,
  type CompressOptions,
  type Compression,
} from '../../codec/compression.ts'
import { invalidOption, refuseUnknown } from '../../errors.ts'

/** Where the cache lives when nothing else is said. */
export const DEFAULT_SQLITE_PATH = '.tidemark/cache.db'

/** Defaults to this many bytes for one encoded value. */
export const DEFAULT_SQLITE_MAX_ENTRY_BYTES: number = 256 * 1024 * 1024

/** Options of `sqlite()`. */
export interface SqliteOptions extends CompressOptions {
  /** The database file; its folder is made (0700). `':memory:'` keeps nothing. Defaults to `.tidemark/cache.db`. */
  readonly path?: string | undefined
  /** At most so many entries; the oldest unread ones leave. Defaults to `Infinity`. */
  readonly maxEntries?: number | undefined
  /** At most so many bytes of encoded values. Defaults to `Infinity`. */
  readonly maxBytes?: number | undefined
  /** Larger encoded values are skipped and counted, before they are compressed. Defaults to 256 MiB. */
  readonly maxEntryBytes?: number | undefined
  /** `process` (default): nothing acknowledged is lost when the process is killed; `power-loss`: nor when the machine is. */
  readonly durability?: 'process' | 'power-loss' | undefined
}

/** The options, checked and completed. */
export interface SqliteSettings extends Required<{
  [K in Exclude<keyof SqliteOptions, keyof CompressOptions>]: NonNullable<SqliteOptions[K]>
}> {
  readonly compression: Compression | undefined
}

/** Errors: `invalid-option`, `unknown-option`. */
export function resolveOptions(options: SqliteOptions): SqliteSettings {
  refuseUnknown('sqlite()', options, [
    'path',
    'maxEntries',
    'maxBytes',
    'maxEntryBytes',
    'durability',
    ...COMPRESS_OPTIONS,
  ])
  const path = options.path ?? DEFAULT_SQLITE_PATH
  if (typeof path !== 'string' || path === '' || path.includes('\0'))
    throw invalidOption('sqlite.path', 'a file path', path)
  if (path !== ':memory:' && isDirectory(path)) {
    throw invalidOption(
      'sqlite.path',
      `a file path (${path} is a directory; name a file in it, such as ${path}/cache.db)`,
      path,
    )
  }
  const durability = options.durability ?? 'process'
  if (durability !== 'process' && durability !== 'power-loss') {
    throw invalidOption('sqlite.durability', "'process' or 'power-loss'", durability)
  }
  return {
    path: path === ':memory:' ? path : resolve(path),
    durability,
    maxEntries: limit('sqlite.maxEntries', options.maxEntries ?? Number.POSITIVE_INFINITY),
    maxBytes: limit('sqlite.maxBytes', options.maxBytes ?? Number.POSITIVE_INFINITY),
    maxEntryBytes: limit('sqlite.maxEntryBytes', options.maxEntryBytes ?? DEFAULT_SQLITE_MAX_ENTRY_BYTES),
    compression: resolveCompression('sqlite', options),
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    // Not there yet, or not ours to look at: opening it will tell.
    return false
  }
}

function limit(option: string, value: unknown): number {
  if (typeof value === 'number' && value >= 1 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY))
    return value
  throw invalidOption(option, 'a whole number from 1, or Infinity', value)
}
