import { refuseUnknown } from '../errors.ts'
import type { Tidemark } from '../tidemark/tidemark.ts'
import { Shelf } from './shelf.ts'

/** Options of {@link unstorageDriver}. */
export interface UnstorageDriverOptions {
  /** The name its entries have among the resources of the cache. Defaults to `unstorage`. */
  readonly name?: string | undefined
}

/** What unstorage asks of a driver. */
export interface UnstorageDriver {
  readonly name: 'tidemark'
  readonly flags: { readonly ttl: true }
  hasItem(key: string): Promise<boolean>
  getItem(key: string): Promise<string | null>
  getItemRaw(key: string): Promise<unknown>
  /** `ttl`: seconds. */
  setItem(key: string, value: string, options?: { readonly ttl?: number | undefined }): Promise<void>
  setItemRaw(key: string, value: unknown, options?: { readonly ttl?: number | undefined }): Promise<void>
  removeItem(key: string): Promise<void>
  getKeys(base?: string): Promise<string[]>
  clear(base?: string): Promise<void>
}

/**
 * The tiers of a cache as a driver for unstorage. Errors: `name-taken`, `unknown-option`.
 *
 * @example
 * const storage = createStorage({ driver: unstorageDriver(tide) })
 */
export function unstorageDriver(tide: Tidemark, options: UnstorageDriverOptions = {}): UnstorageDriver {
  refuseUnknown('unstorageDriver()', options, ['name'])
  const shelf = new Shelf(tide, options.name ?? 'unstorage')
  const set = (key: string, value: unknown, { ttl }: { readonly ttl?: number | undefined } = {}): Promise<void> =>
    shelf.set('', key, value, ttl === undefined || ttl <= 0 ? undefined : Date.now() + ttl * 1000)
  return {
    name: 'tidemark',
    flags: { ttl: true },
    hasItem: async (key) => (await shelf.get('', key)) !== undefined,
    getItem: async (key) => ((await shelf.get('', key)) ?? null) as string | null,
    getItemRaw: async (key) => (await shelf.get('', key)) ?? null,
    setItem: set,
    setItemRaw: set,
    removeItem: async (key) => void (await shelf.delete('', key)),
    getKeys: async (base = '') => (await shelf.keys('')).filter((key) => key.startsWith(base)),
    clear: (base = '') => shelf.clear('', base),
  }
}
