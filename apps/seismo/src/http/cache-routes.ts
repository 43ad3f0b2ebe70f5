import { Hono } from 'hono'
import type { DeviceCache } from '../cache/device-cache.ts'
import type { Downloads } from '../fleet/downloads.ts'
import type { Lines } from '../fleet/lines.ts'
import { fleetOverview } from '../fleet/overview.ts'
import type { Permit } from '../fleet/permit.ts'
import { unitOf } from './parameters.ts'

/** What can be said without asking a unit. */
export function cacheRoutes(
  cache: DeviceCache,
  fleet: { readonly units: readonly string[]; readonly lines: Lines; readonly downloads: Downloads },
  permit: Permit,
): Hono {
  const app = new Hono()

  app.get('/health', async (c) => {
    const tiers = await cache.tide.tiers()
    const isWell = tiers.every(({ state }) => state === 'up')
    return c.json({
      status: isWell ? 'ok' : 'degraded',
      units: fleet.units.length,
      tiers: tiers.map(({ tier, state, reason }) => ({ tier, state, reason })),
    })
  })

  app.get('/fleet', async (c) => c.json({ units: await fleetOverview(cache, fleet.lines, fleet.units) }))

  app.get('/downloads', (c) => c.json({ downloads: fleet.downloads.list() }))

  app.get('/cache/stats', async (c) => {
    const { names } = await cache.tide.stats()
    return c.json({ ...(await cache.stats()), requests: names })
  })

  app.delete('/cache/device', async (c) => c.json(await cache.clearDevice(unitOf(c, permit))))

  return app
}
