import {
  createTidemark,
  isSourceUnavailable,
  memory,
  sqlite,
  systemClock,
  ttl,
  untilInvalidated,
  type Resource,
  type Source,
  type Tidemark,
  type VersionOf,
} from 'tidemark'
import type { Deployment, Vendor, WorkItem } from '../database/records.ts'
import { vendorKey } from './cache-key.ts'
import { NotFoundError } from './errors.ts'
import { Fill } from './fill.ts'
import { Known, type Row } from './known.ts'
import type { CacheOptions } from './options.ts'
import { noSource } from './source.ts'

/** The file of a cache that names none. */
export const DEFAULT_PATH = 'data/projectstatus.db'

/** So many loads ask the database at a time: as many as its pool has connections. */
const CONCURRENCY = 10
const DEFAULT_MAX_ENTRIES = 10_000
/** Plain SQL cannot read what is compressed; it cannot read larger values anyway, which lie in files of their own. */
const COMPRESS_BYTES = 64 * 1024
/** What is cached of a deleted work item: that it is. */
export const DELETED_TAG = 'deleted'

/** What is behind a cache while it is open. */
export interface Opened {
  readonly tide: Tidemark
  readonly source: Source
  readonly vendors: Resource<string, Vendor>
  readonly workItems: Resource<string, WorkItem>
  readonly vendorList: Resource<'all', readonly Vendor[]>
  readonly workItemList: Resource<'all', readonly WorkItem[]>
  readonly deploymentList: Resource<'all', readonly Deployment[]>
  /** When the database said that a row is not there. */
  readonly gone: Resource<string, number>
  readonly known: { readonly vendors: Known<Vendor>; readonly workItems: Known<WorkItem> }
  readonly fills: { readonly vendors: Fill<Vendor>; readonly workItems: Fill<WorkItem> }
  /** What the cache notes of itself. */
  readonly metadata: Resource<string, unknown>
}

/** Runs changes of the cache one after the other. */
export type Changes = (work: () => Promise<void>) => Promise<void>

/** Opens the file and makes the resources. Errors: those of `createTidemark` and `tide.resource`. */
export function openTide(options: CacheOptions, change: Changes): Opened {
  const { path = DEFAULT_PATH, source: asked = noSource(), ttl: lifetimes = {} } = options
  const {
    clock = systemClock,
    warmUp,
    maxEntries = DEFAULT_MAX_ENTRIES,
    timeout,
    staleIfError,
    warnAfter = '15m',
  } = options
  const tide = createTidemark({
    tiers: [memory({ maxEntries }), sqlite({ path, maxEntries, compress: 'zstd', compressAboveBytes: COMPRESS_BYTES })],
    clock,
  })
  if (options.onEvent) tide.on('event', options.onEvent)
  const source = tide.source('postgresql', {
    concurrency: CONCURRENCY,
    probe: () => asked.ping(),
    warmUp,
    isUnavailable: isSourceUnavailable,
  })
  const shared = { strategy: 'source-first', source, staleIfError, warnAfter, timeout } as const

  const vendors: Resource<string, Vendor> = tide.resource<string, Vendor>({
    ...shared,
    name: 'vendors',
    key: vendorKey,
    load: async (name, { stale }) => (await asked.vendor(name)) ?? notFound('vendor', name, stale),
    freshness: ttl(lifetimes.vendors ?? '30m'),
    version: versionOf,
  })
  const workItems: Resource<string, WorkItem> = tide.resource<string, WorkItem>({
    ...shared,
    name: 'work_items',
    key: (id) => id.toLowerCase(),
    load: async (id, { stale }) => (await asked.workItem(id)) ?? notFound('work item', id, stale),
    freshness: ttl(lifetimes.workItems ?? '30m'),
    tags: (_id, item) => (item.deleted_at === null ? [] : [DELETED_TAG]),
    version: versionOf,
  })
  const listTtl = ttl(lifetimes.lists ?? '30m')
  const list = <T>(name: string, ask: () => Promise<readonly T[]>): Resource<'all', readonly T[]> =>
    tide.resource<'all', readonly T[]>({ ...shared, name, load: ask, freshness: listTtl })
  const vendorList: Resource<'all', readonly Vendor[]> = list('vendor_list', () =>
    filling(fills.vendors, () => asked.vendors()),
  )
  const workItemList: Resource<'all', readonly WorkItem[]> = list('work_item_list', () =>
    filling(fills.workItems, () => asked.workItems()),
  )
  // As long as a list may be handed out that has the row.
  const keep = staleIfError ?? '7d'
  const gone = tide.resource<string, number>({ name: 'gone', load: () => 0, freshness: listTtl, keep })
  const known: Opened['known'] = {
    vendors: new Known<Vendor>({ rows: vendors, list: vendorList, gone, keyOf: ({ name }) => vendorKey(name), clock }),
    workItems: new Known<WorkItem>({ rows: workItems, list: workItemList, gone, keyOf: ({ id }) => id, clock }),
  }
  const fills: Opened['fills'] = {
    vendors: new Fill(vendors, known.vendors, change),
    workItems: new Fill(workItems, known.workItems, change),
  }
  async function notFound(kind: 'vendor' | 'work item', key: string, stale: unknown): Promise<never> {
    if (kind === 'vendor') await known.vendors.missing(vendorKey(key), stale !== undefined)
    else await known.workItems.missing(key.toLowerCase(), stale !== undefined)
    throw new NotFoundError(kind, key)
  }
  return {
    tide,
    source,
    vendors,
    workItems,
    gone,
    known,
    fills,
    vendorList,
    workItemList,
    deploymentList: list('deployment_list', () => asked.deployments()),
    metadata: tide.resource<string, unknown>({
      name: 'cache_metadata',
      load: () => null,
      freshness: untilInvalidated(),
    }),
  }
}

/** A name that was deleted and given again names another row, which begins at 1. */
function versionOf({ id, version }: Row): VersionOf {
  return { of: id, version }
}

/** A list whose rows are stored one by one as well. Nobody waits for that. */
async function filling<T extends Row>(fill: Fill<T>, ask: () => Promise<readonly T[]>): Promise<readonly T[]> {
  const take = await fill.begin()
  const rows = await ask()
  take(rows)
  return rows
}
