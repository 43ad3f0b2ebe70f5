import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  COMPRESS_OPTIONS,
  resolveCompression,
  type CompressOptions,
  type Compression,
} from '../../codec/compression.ts'
import { invalidOption, refuseUnknown } from '../../errors.ts'

/** Where the segments live when nothing else is said. */
export const DEFAULT_JSONL_PATH = '.tidemark/segments'
/** Defaults to this many bytes for one encoded value. */
export const DEFAULT_JSONL_MAX_ENTRY_BYTES: number = 256 * 1024 * 1024

/** Options of `jsonl()`. */
export interface JsonlOptions extends CompressOptions {
  /** The folder; it is made (0700), and nothing else may lie in it. Defaults to `.tidemark/segments`. */
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
export interface JsonlSettings extends Required<{
  [K in Exclude<keyof JsonlOptions, keyof CompressOptions>]: NonNullable<JsonlOptions[K]>
}> {
  readonly compression: Compression | undefined
}

/** Errors: `invalid-option`, `unknown-option`. */
export function resolveOptions(options: JsonlOptions): JsonlSettings {
  refuseUnknown('jsonl()', options, [
    'path',
    'maxEntries',
    'maxBytes',
    'maxEntryBytes',
    'durability',
    ...COMPRESS_OPTIONS,
  ])
  const path = options.path ?? DEFAULT_JSONL_PATH
  if (typeof path !== 'string' || path === '' || path.includes('\0'))
    throw invalidOption('jsonl.path', 'the path of a folder', path)
  if (isFile(path)) throw invalidOption('jsonl.path', `the path of a folder (${path} is a file)`, path)
  const durability = options.durability ?? 'process'
  if (durability !== 'process' && durability !== 'power-loss') {
    throw invalidOption('jsonl.durability', "'process' or 'power-loss'", durability)
  }
  return {
    path: resolve(path),
    durability,
    maxEntries: limit('jsonl.maxEntries', options.maxEntries ?? Number.POSITIVE_INFINITY),
    maxBytes: limit('jsonl.maxBytes', options.maxBytes ?? Number.POSITIVE_INFINITY),
    maxEntryBytes: limit('jsonl.maxEntryBytes', options.maxEntryBytes ?? DEFAULT_JSONL_MAX_ENTRY_BYTES),
    compression: resolveCompression('jsonl', options),
  }
}

function isFile(path: string): boolean {
  try {
    return !statSync(path).isDirectory()
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
