import { Hono, type Context } from 'hono'
import { isTidemarkError, type Reading } from 'tidemark'
import { respond } from 'tidemark/http'
import { vendorName, workItemId } from '../cache/cache-key.ts'
import type { ProjectStatusCache } from '../cache/cache.ts'
import { NotFoundError } from '../cache/errors.ts'
import type { Changed, ProjectDatabase } from '../database/project-database.ts'
import { WORK_ITEM_STATUSES, WORK_ITEM_TYPES, type Vendor, type WorkItem } from '../database/records.ts'
import { bodyOf } from './body.ts'
import { vendorChanges, workItemChanges } from './changes.ts'
import { bad, RequestError } from './failure.ts'
import { originOf, originOfAll } from './origin.ts'

/** Vendors, work items and their status. Every answer says where it is from. */
export function statusRoutes(cache: ProjectStatusCache, database: ProjectDatabase): Hono {
  const app = new Hono()

  app.get('/vendors', async (c) => {
    const reading = await cache.readVendors()
    return answer(c, reading, { vendors: reading.value })
  })

  app.get('/vendors/:name', async (c) => {
    const reading = await cache.readVendor(c.req.param('name'))
    return answer(c, reading, { vendor: reading.value })
  })

  app.patch('/vendors/:name', async (c) => {
    const name = vendorName(c.req.param('name'))
    const { expectedVersion, changes } = await vendorChanges(c)
    const changed = await cache.write(() => database.changeVendor(name, expectedVersion, changes))
    const vendor = rowOf(changed, expectedVersion, () => new NotFoundError('vendor', name))
    await noted(cache.setVendor(vendor.name, vendor))
    return written(c, { vendor })
  })

  app.get('/work-items', async (c) => {
    const type = oneOf(c, 'type', WORK_ITEM_TYPES)
    const status = oneOf(c, 'status', WORK_ITEM_STATUSES)
    const reading = await cache.readWorkItems()
    const items = reading.value.filter(
      (item) => (type === undefined || item.item_type === type) && (status === undefined || item.status === status),
    )
    return answer(c, reading, { work_items: items })
  })

  app.get('/work-items/:id', async (c) => {
    const reading = await cache.readWorkItem(c.req.param('id'))
    return answer(c, reading, { work_item: reading.value })
  })

  app.patch('/work-items/:id', async (c) => {
    const id = workItemId(c.req.param('id'))
    const { expectedVersion, changes } = await workItemChanges(c)
    const changed = await cache.write(() => database.changeWorkItem(id, expectedVersion, changes))
    const item = rowOf(changed, expectedVersion, () => new NotFoundError('work item', id))
    await noted(cache.setWorkItem(item.id, item))
    return written(c, { work_item: item })
  })

  app.get('/status', async (c) => {
    const [vendors, items, deployments] = await Promise.all([
      cache.readVendors(),
      cache.readWorkItems(),
      cache.readDeployments(),
    ])
    const readings = [vendors, items, deployments]
    const body = {
      vendors: vendors.value,
      work_items: items.value,
      deployments: deployments.value,
      sources: { vendors: originOf(vendors), work_items: originOf(items), deployments: originOf(deployments) },
      ...originOfAll(readings),
    }
    // The headers speak of what is oldest.
    const oldest = readings.reduce((a, b) => (b.tier !== 'source' && (a.tier === 'source' || b.age > a.age) ? b : a))
    return respond(c.req.raw, oldest, { body: bodyOf(body), headers: HEADERS })
  })

  return app
}

/** Every read asks: nobody between us and the client may answer in our place. */
const HEADERS = { 'Cache-Control': 'no-cache' }

function answer(c: Context, reading: Reading<unknown>, body: object): Response {
  return respond(c.req.raw, reading, { body: bodyOf({ ...body, ...originOf(reading) }), headers: HEADERS })
}

function written(c: Context, body: object): Response {
  return c.json({ ...body, data_source: 'postgresql', cache_age_seconds: null, warnings: [] })
}

function rowOf<T extends Vendor | WorkItem>(changed: Changed<T>, expectedVersion: number, notFound: () => Error): T {
  if (changed === 'not-found') throw notFound()
  if ('row' in changed) return changed.row
  throw new VersionError(changed.currentVersion, expectedVersion)
}

/** Somebody else was quicker. */
export class VersionError extends RequestError {
  readonly versions: { readonly current_version: number; readonly expected_version: number }

  constructor(currentVersion: number, expectedVersion: number) {
    const message = `The version is ${currentVersion} by now, not ${expectedVersion}: read it again.`
    super({ status: 409, code: 'version-conflict', message })
    this.versions = { current_version: currentVersion, expected_version: expectedVersion }
  }
}

/** A later version may be there already: then somebody has changed it once more. */
async function noted(set: Promise<void>): Promise<void> {
  try {
    await set
  } catch (error) {
    if (!isTidemarkError(error, 'older-version')) throw error
  }
}

function oneOf<T extends string>(c: Context, parameter: string, names: readonly T[]): T | undefined {
  const value = c.req.query(parameter)
  if (value === undefined || (names as readonly string[]).includes(value)) return value as T | undefined
  throw bad(parameter, `one of ${names.join(', ')}`)
}
