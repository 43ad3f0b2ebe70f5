import type { Reading, Resource, SourceStatus, TidemarkEvent, TierStatus } from 'tidemark'
import type { Deployment, Vendor, WorkItem } from '../database/records.ts'
import { parseCacheKey, vendorName, workItemId } from './cache-key.ts'
import { CacheReadError, NotFoundError, NotOpenError } from './errors.ts'
import type { Row } from './known.ts'
import { noted } from './metadata.ts'
import { DEFAULT_PATH, openTide, type Opened } from './opened.ts'
import type { CacheOptions } from './options.ts'
import { Overlay } from './overlay.ts'
import { statsOf, type CacheStats } from './stats.ts'
import { installViews } from './views.ts'
import { checkVendor, checkWorkItem } from './whole.ts'
import { writeThrough } from './write-through.ts'

/** How often the views are tried again in a file that is locked or was replaced. */
const VIEWS_RETRY_MS = 1_000

/** An open cache and what goes with it. */
interface Open extends Opened {
  readonly overlays: { readonly vendors: Overlay<Vendor>; readonly workItems: Overlay<WorkItem> }
  /** Lookups that were answered and those that were not; reads are counted by their resources. */
  readonly lookups: { hits: number; misses: number }
  readonly stop: () => void
}

/**
 * Vendors and work items of PostgreSQL, for the time when it is slow or gone. `get…` looks into the cache only; `read…` asks
 * the database first, and the cache stands in for it. Its file can be read with plain SQL, see README.md.
 *
 * @example
 * await using cache = await new ProjectStatusCache({ path: 'data/projectstatus.db' }).open()
 * await cache.setVendor('Acme', row)
 * await cache.getVendor('ACME') // the row, whatever the case
 */
export class ProjectStatusCache implements AsyncDisposable {
  readonly #options: CacheOptions
  #open: Open | undefined
  #wasOpen = false
  /** Changes run one after the other, so that clearing what is stale does not take what is being set. */
  #changes: Promise<unknown> = Promise.resolve()

  /** Opens nothing yet. */
  constructor(options: CacheOptions = {}) {
    this.#options = options
  }

  /**
   * Opens the file, or makes it. May be called again after {@link close}, also when the file was removed meanwhile; a damaged
   * file is moved aside, and a new one begun. Errors: those of `createTidemark`.
   */
  async open(): Promise<this> {
    if (this.#open) return this
    const opened = openTide(this.#options, (work) => this.#inTurn(work))
    const overlays = {
      vendors: new Overlay(opened.known.vendors),
      workItems: new Overlay(opened.known.workItems),
    }
    const keepViews = this.#keepViews()
    const unlisten = opened.tide.on('event', (event) => this.#hear(event, keepViews.renew))
    const stop = (): void => {
      unlisten()
      keepViews.stop()
    }
    this.#open = { ...opened, overlays, lookups: { hits: 0, misses: 0 }, stop }
    this.#wasOpen = true
    return this
  }

  /** Finishes what is being written. Afterwards every call fails with {@link NotOpenError}, until it is opened again. */
  async close(): Promise<void> {
    const open = this.#open
    if (!open) return
    await this.#changes
    this.#open = undefined
    open.stop()
    await open.tide.close()
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The cached row, whatever the case of the name; `undefined` when there is none. Errors: `CacheReadError`, `RangeError`. */
  async getVendor(name: string): Promise<Vendor | undefined> {
    return this.#lookUp(this.#use().vendors, vendorName(name), `vendor:${name}`)
  }

  /** Keeps a whole row. Errors: `RangeError` for a part of one or another's; `older-version` when a later one is there. */
  async setVendor(name: string, vendor: Vendor): Promise<void> {
    checkVendor(vendorName(name), vendor)
    await this.#inTurn(() => this.#use().vendors.set(name, vendor))
  }

  /** The cached row; `undefined` when there is none, or it is one that was deleted. Errors: `CacheReadError`, `RangeError`. */
  async getWorkItem(id: string): Promise<WorkItem | undefined> {
    const item = await this.#lookUp(this.#use().workItems, workItemId(id), `work_item:${id}`)
    return item?.deleted_at === null ? item : undefined
  }

  /** As {@link setVendor}. A row with `deleted_at` is kept as the news that it is deleted. */
  async setWorkItem(id: string, item: WorkItem): Promise<void> {
    checkWorkItem(workItemId(id), item)
    await this.#inTurn(() => this.#use().workItems.set(id, item))
  }

  /**
   * Whether what is cached is older than its time, damaged, or missing. `key`: `vendor:NAME` or `work_item:UUID`.
   * Errors: `RangeError` for any other key, `CacheReadError`.
   */
  async isStale(key: string): Promise<boolean> {
    const named = parseCacheKey(key)
    const { vendors, workItems } = this.#use()
    const stored = await (named.kind === 'vendor' ? vendors.stored(named.name) : workItems.stored(named.id))
    if (stored === undefined) await this.#refuseIfUnreadable(key)
    return stored === undefined
  }

  /** Removes what is older than its time. Resolves to how many rows that were. */
  async clearStale(): Promise<number> {
    return this.#inTurn(async () => {
      const { vendors, workItems, vendorList, workItemList, deploymentList, fills } = this.#use()
      const counts = await Promise.all([vendors, workItems].map(removeStale))
      await Promise.all([vendorList, workItemList, deploymentList].map(removeStale))
      fills.vendors.reset()
      fills.workItems.reset()
      return counts.reduce((sum, n) => sum + n, 0)
    })
  }

  /** Removes everything. Resolves to how many rows that were. */
  async clearAll(): Promise<number> {
    return this.#inTurn(async () => {
      const { vendors, workItems, vendorList, workItemList, deploymentList, gone, fills } = this.#use()
      const counts = await Promise.all([vendors.clear(), workItems.clear()])
      await Promise.all([vendorList, workItemList, deploymentList, gone].map((it) => it.clear()))
      fills.vendors.reset()
      fills.workItems.reset()
      return counts.reduce((sum, n) => sum + n, 0)
    })
  }

  /** How much is cached, how old it is, and how it was used. */
  async getStats(): Promise<CacheStats> {
    const open = this.#use()
    return statsOf(open, open.lookups)
  }

  /** The row from the database, or from here when it cannot say. Errors: `NotFoundError`, `source-unavailable`, `RangeError`. */
  async readVendor(name: string): Promise<Reading<Vendor>> {
    return this.#use().vendors.read(vendorName(name))
  }

  /** As {@link readVendor}; a deleted one is not found. */
  async readWorkItem(id: string): Promise<Reading<WorkItem>> {
    const reading = await this.#use().workItems.read(workItemId(id))
    if (reading.value.deleted_at !== null) throw new NotFoundError('work item', id)
    return reading
  }

  /** All vendors by name. Errors: `source-unavailable`. */
  async readVendors(): Promise<Reading<readonly Vendor[]>> {
    const { vendorList, overlays } = this.#use()
    return overlaid(await vendorList.read('all'), overlays.vendors)
  }

  /** All work items that are not deleted, newest first. Errors: `source-unavailable`. */
  async readWorkItems(): Promise<Reading<readonly WorkItem[]>> {
    const { workItemList, overlays } = this.#use()
    return overlaid(await workItemList.read('all'), overlays.workItems)
  }

  /** All deployments, newest first. Errors: `source-unavailable`. */
  async readDeployments(): Promise<Reading<readonly Deployment[]>> {
    return this.#use().deploymentList.read('all')
  }

  /** Makes a write in the database. Errors: what it throws; `WriteRefusedError` while the database is away. */
  async write<T>(work: () => Promise<T>): Promise<T> {
    return writeThrough(this.#use().source, work)
  }

  /** How the database is: whether it is asked, why not, and when it is tried again. */
  get source(): SourceStatus {
    return this.#use().source.status
  }

  /** How the tiers are. */
  async tiers(): Promise<TierStatus[]> {
    return this.#use().tide.tiers()
  }

  #use(): Open {
    if (this.#open) return this.#open
    throw new NotOpenError(this.#wasOpen)
  }

  async #lookUp<T>(resource: Resource<string, T>, key: string, shown: string): Promise<T | undefined> {
    const { lookups } = this.#use()
    const found = await resource.stored(key, { stale: true })
    if (found === undefined) {
      await this.#refuseIfUnreadable(shown)
      lookups.misses++
    } else lookups.hits++
    return found
  }

  /** A file that cannot be read says nothing about what is in it. */
  async #refuseIfUnreadable(key: string): Promise<void> {
    const broken = (await this.tiers()).find(
      ({ state, failures }) => state === 'open' || state === 'recovering' || failures.reads > 0,
    )
    if (broken) throw new CacheReadError(key, broken.reason)
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#use()
    const done = this.#changes.then(work)
    this.#changes = done.catch(() => {})
    return done
  }

  #hear(event: TidemarkEvent, renewViews: () => void): void {
    if (event.type === 'tier-state') renewViews()
    if (event.type === 'loaded' || event.type === 'set' || event.type === 'deleted') {
      if (event.name === 'vendors') this.#open?.overlays.vendors.changed()
      if (event.name === 'work_items') this.#open?.overlays.workItems.changed()
    }
    const note = noted(event)
    // What the cache notes of itself is of use to people only: that it could not is told by the tier.
    if (note) void this.#open?.metadata.set(note.key, note.value).catch(() => {})
  }

  /** The views are in the file: one that took its place needs them as well. */
  #keepViews(): { renew: () => void; stop: () => void } {
    const { path = DEFAULT_PATH } = this.#options
    let timer: NodeJS.Timeout | undefined
    const install = (): void => {
      clearTimeout(timer)
      if (path !== ':memory:' && !installViews(path)) timer = setTimeout(install, VIEWS_RETRY_MS).unref()
    }
    install()
    // After the turn in which the tier tells of it: it has not opened the new file yet.
    const renew = (): void => {
      clearTimeout(timer)
      timer = setTimeout(install, 0).unref()
    }
    return { renew, stop: () => clearTimeout(timer) }
  }
}

async function overlaid<T extends Row>(
  reading: Reading<readonly T[]>,
  overlay: Overlay<T>,
): Promise<Reading<readonly T[]>> {
  return reading.tier === 'source'
    ? reading
    : { ...reading, value: await overlay.over(reading.value, reading.loadedAt) }
}

async function removeStale(resource: Pick<Resource<string, unknown>, 'entries' | 'delete'>): Promise<number> {
  const stale: string[] = []
  for await (const { key, state } of resource.entries()) if (state !== 'fresh') stale.push(key as string)
  await Promise.all(stale.map((key) => resource.delete(key)))
  return stale.length
}
