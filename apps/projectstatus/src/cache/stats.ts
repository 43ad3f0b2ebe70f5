import type { Opened } from './opened.ts'
import { DELETED_TAG } from './opened.ts'

/** What {@link statsOf} tells. */
export interface CacheStats {
  /** Rows of both kinds, those that are known to be deleted among them. */
  readonly totalEntries: number
  /** Of them, those older than their time. */
  readonly staleEntries: number
  readonly vendorsCached: number
  /** Without those that are known to be deleted. */
  readonly workItemsCached: number
  /** 0 when nothing is cached. */
  readonly oldestEntryAgeSeconds: number
  /** Lookups and reads that the cache answered without anybody asking the database. */
  readonly hits: number
  /** Lookups that found nothing, and reads that asked the database. */
  readonly misses: number
  /** Reads the cache answered because the database could not. */
  readonly fallbacks: number
}

const NAMES = ['vendors', 'work_items', 'vendor_list', 'work_item_list', 'deployment_list']

export async function statsOf(
  { tide, vendors, workItems }: Opened,
  lookups: { readonly hits: number; readonly misses: number },
): Promise<CacheStats> {
  const count = { total: 0, stale: 0, deleted: 0, vendors: 0, oldestMs: 0 }
  for (const resource of [vendors, workItems] as const) {
    for await (const { key, state, age, tags, tier } of resource.entries()) {
      // A list does not look at values: one in the file that is damaged is none, and goes when it is read.
      if (tier !== 'memory' && (await resource.stored(key as string, { stale: true })) === undefined) continue
      count.total++
      if (state !== 'fresh') count.stale++
      if (tags.includes(DELETED_TAG)) count.deleted++
      else if (resource === vendors) count.vendors++
      // One from a clock that was ahead has no age yet.
      count.oldestMs = Math.max(count.oldestMs, age)
    }
  }
  const { names } = await tide.stats()
  const sum = (of: 'hits' | 'misses' | 'fallbacks'): number =>
    NAMES.reduce((total, name) => total + (names[name]?.[of] ?? 0), 0)
  return {
    totalEntries: count.total,
    staleEntries: count.stale,
    vendorsCached: count.vendors,
    workItemsCached: count.total - count.deleted - count.vendors,
    oldestEntryAgeSeconds: count.oldestMs / 1000,
    hits: lookups.hits + sum('hits'),
    misses: lookups.misses + sum('misses'),
    fallbacks: sum('fallbacks'),
  }
}
