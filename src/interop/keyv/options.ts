import {
  COMPRESS_OPTIONS,
  resolveCompression,
  type CompressOptions,
  type Compression,
} from '../../codec/compression.ts'
import { invalidOption, refuseUnknown } from '../../errors.ts'
import { canList, isKeyvStorage } from './storage.ts'

/** Options of `keyvTier()`. */
export interface KeyvTierOptions extends CompressOptions {
  /** What all keys begin with. Every tier over one store needs one of its own. Defaults to `tidemark`. */
  readonly prefix?: string | undefined
  /**
   * What the tier declares: entries outlive the process, and secrets are sealed in it. The store must be able to list what
   * lies in it then. Only `false` for a store in the memory of this process, such as a `Map`. Defaults to `true`.
   */
  readonly persistent?: boolean | undefined
  /** At most so many entries; the oldest unread ones leave. Defaults to `Infinity`. */
  readonly maxEntries?: number | undefined
  /** At most so many bytes of encoded values. Defaults to `Infinity`. */
  readonly maxBytes?: number | undefined
  /** Larger encoded values are skipped and counted, before they are compressed. Defaults to 8 MiB. */
  readonly maxEntryBytes?: number | undefined
}

/** Defaults to this many bytes for one encoded value. */
export const DEFAULT_KEYV_MAX_ENTRY_BYTES: number = 8 * 1024 * 1024
const OPTIONS = ['prefix', 'persistent', 'maxEntries', 'maxBytes', 'maxEntryBytes', ...COMPRESS_OPTIONS] as const

/** The options, checked and completed. */
export interface KeyvTierSettings extends Required<{
  [K in Exclude<keyof KeyvTierOptions, keyof CompressOptions>]: NonNullable<KeyvTierOptions[K]>
}> {
  readonly compression: Compression | undefined
}

/** Errors: `invalid-option`, `unknown-option`. */
export function resolveKeyvTier(store: unknown, options: KeyvTierOptions): KeyvTierSettings {
  refuseUnknown('keyvTier()', options, OPTIONS)
  if (!isKeyvStorage(store)) throw invalidOption('keyvTier.store', 'a storage adapter of Keyv, or a Map', store)
  const { prefix = 'tidemark', persistent = true } = options
  if (typeof prefix !== 'string' || !/^[\w.-]{1,64}$/.test(prefix))
    throw invalidOption('keyvTier.prefix', 'up to 64 letters, digits, dots, dashes and underscores', prefix)
  if (typeof persistent !== 'boolean') throw invalidOption('keyvTier.persistent', 'true or false', persistent)
  if (persistent && !canList(store)) {
    throw invalidOption(
      'keyvTier.store',
      'a store with iterator(): after a restart nobody could find what a tag or a scope means in this one',
      store,
    )
  }
  return {
    prefix,
    persistent,
    maxEntries: limit('keyvTier.maxEntries', options.maxEntries ?? Number.POSITIVE_INFINITY),
    maxBytes: limit('keyvTier.maxBytes', options.maxBytes ?? Number.POSITIVE_INFINITY),
    maxEntryBytes: limit('keyvTier.maxEntryBytes', options.maxEntryBytes ?? DEFAULT_KEYV_MAX_ENTRY_BYTES),
    compression: resolveCompression('keyvTier', options),
  }
}

function limit(option: string, value: unknown): number {
  if (typeof value === 'number' && value >= 1 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY))
    return value
  throw invalidOption(option, 'a whole number from 1, or Infinity', value)
}
