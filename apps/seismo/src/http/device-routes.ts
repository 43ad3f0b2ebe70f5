import { Hono, type Context } from 'hono'
import type { ItemReading, ListReading, Reading } from 'tidemark'
import { cacheHeaders, cacheStatus } from 'tidemark/http'
import type { DeviceCache } from '../cache/device-cache.ts'
import type { JsonObject } from '../cache/record.ts'
import type { WaveformBodies } from '../encoding/waveform-bodies.ts'
import type { Filing } from '../event-file/filing.ts'
import type { Operations } from '../fleet/operations.ts'
import type { Permit } from '../fleet/permit.ts'
import { joined } from './joined.ts'
import { configOf, indexOf, isForced, maxAgeMsOf, unitOf } from './parameters.ts'
import { sourceOf } from './source.ts'

/** What the routes of units ask. */
export interface DeviceParts {
  readonly cache: DeviceCache
  readonly bodies: WaveformBodies
  readonly operations: Operations
  readonly permit: Permit
  /** Files waveforms, where files are kept. */
  readonly filing: Filing | undefined
}

/** Everything under `/device`: what a unit says, from the cache or from the unit, and what changes a unit. */
export function deviceRoutes({ cache, bodies, operations, permit, filing }: DeviceParts): Hono {
  const app = new Hono()

  const info = async (c: Context): Promise<Response> => {
    const unit = unitOf(c, permit)
    const reading = await cache.info.read(unit, { refresh: isForced(c) })
    return answer(c, reading, { unit, ...reading.value })
  }
  app.get('/info', info)
  app.post('/connect', info)

  app.get('/events', async (c) => {
    const unit = unitOf(c, permit)
    const reading = await cache.events.read(unit, { refresh: isForced(c), maxAge: maxAgeMsOf(c) })
    // Another life of the memory may be another unit: look at its serial, behind this answer.
    if (reading.era === 'new') void cache.info.get(unit, { refresh: true }).catch(() => {})
    const { value: events, added, era } = reading
    return answer(c, reading, { unit, count: events.length, added: added ?? 0, era: era ?? 'same', events })
  })

  app.get('/event/:index', async (c) => {
    const unit = unitOf(c, permit)
    const reading = await cache.events.readAt(unit, indexOf(c), { refresh: isForced(c) })
    return answer(c, reading, { unit, ...reading.value })
  })

  app.get('/event/:index/waveform', async (c) => {
    const unit = unitOf(c, permit)
    const index = indexOf(c)
    const reading = await cache.waveforms.read([unit, index], { refresh: isForced(c) })
    // What came from the unit just now was filed as it came, or could not be.
    if (reading.tier !== 'source') filing?.read(unit, index, reading.value)
    // The long part is written once for each recording; only what is true of this answer is put in front of it.
    const { stream, bytes } = joined({ unit, cache: sourceOf(reading) }, await bodies.of(reading.value))
    const headers = { 'Content-Type': 'application/json', 'Content-Length': String(bytes) }
    return c.body(stream, 200, { ...headers, ...headersOf(c, reading) })
  })

  app.get('/monitor/status', async (c) => {
    const unit = unitOf(c, permit)
    const reading = await cache.status.read(unit, { refresh: isForced(c) })
    return answer(c, reading, { unit, ...reading.value })
  })

  app.post('/monitor/start', async (c) => {
    const unit = unitOf(c, permit)
    await operations.setMonitoring(unit, true)
    return c.json({ unit, is_monitoring: true })
  })

  app.post('/monitor/stop', async (c) => {
    const unit = unitOf(c, permit)
    await operations.setMonitoring(unit, false)
    return c.json({ unit, is_monitoring: false })
  })

  app.post('/config', async (c) => {
    const unit = unitOf(c, permit)
    const config = await configOf(c)
    await operations.writeConfig(unit, config)
    return c.json({ unit, written: Object.keys(config).length })
  })

  app.post('/events/erase', async (c) => {
    const unit = unitOf(c, permit)
    return c.json({ unit, dropped: await operations.erase(unit) })
  })

  return app
}

type AnyReading = Reading<unknown> | ItemReading<unknown> | ListReading<unknown>

function answer(c: Context, reading: AnyReading, body: JsonObject): Response {
  return c.json({ ...body, cache: sourceOf(reading) }, 200, headersOf(c, reading))
}

/** `Cache-Status` and `Age`. The unit is asked on `force` alone, whatever a browser says of caches. */
function headersOf(c: Context, reading: AnyReading): Record<string, string> {
  const status = cacheStatus(reading, { isForced: isForced(c) })
  return cacheHeaders(c.req.raw, reading, { headers: { 'Cache-Status': status } })
}
