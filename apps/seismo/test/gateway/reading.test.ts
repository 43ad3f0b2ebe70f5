import { FakeClock } from 'tidemark/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { LineCounters } from '../../src/simulator/start.ts'
import { openRig, type Rig } from './open.ts'

let clock: FakeClock
let rig: Rig

beforeEach(async () => {
  clock = new FakeClock()
  rig = await openRig({ units: 2, events: 12 }, { clock })
})

afterEach(() => rig[Symbol.asyncDispose]())

/** How many conversations of a kind the first unit had. */
async function asked(kind: keyof LineCounters['conversations']): Promise<number> {
  return (await rig.simulator.counters(0)).conversations[kind]
}

it('info is read once, says where it came from, and survives a restart', async () => {
  const first = await rig.ask(0, 'GET', '/device/info')
  expect(first.status).toBe(200)
  expect(first.body).toMatchObject({
    serial: rig.simulator.units[0]?.serial,
    cache: { reason: 'loaded', tier: 'source' },
  })
  expect(first.headers.get('cache-status')).toBe('tidemark; fwd=miss; stored')
  await clock.advance(5000)
  const second = await rig.ask(0, 'POST', '/device/connect')
  expect(second.body).toMatchObject({
    serial: first.body['serial'],
    cache: { reason: 'hit', tier: 'memory', age_seconds: 5 },
  })
  expect([second.headers.get('cache-status'), second.headers.get('age')]).toEqual(['tidemark; hit; detail=memory', '5'])
  await rig.reopen()
  const third = await rig.ask(0, 'GET', '/device/info')
  expect(third.body).toMatchObject({ serial: first.body['serial'], cache: { reason: 'hit', tier: 'sqlite' } })
  expect(await asked('info')).toBe(1)
})

it('force asks the unit whatever is cached', async () => {
  await rig.ask(0, 'GET', '/device/info')
  const forced = await rig.ask(0, 'GET', '/device/info?force=true')
  expect(forced.headers.get('cache-status')).toBe('tidemark; fwd=request; stored')
  expect(await asked('info')).toBe(2)
})

it('events are probed each time, and only the tail is fetched', async () => {
  const first = await rig.ask(0, 'GET', '/device/events')
  expect(first.body).toMatchObject({ count: 12, added: 12, era: 'same' })
  const again = await rig.ask(0, 'GET', '/device/events')
  expect(again.body).toMatchObject({ count: 12, added: 0, cache: { reason: 'loaded' } })
  expect(again.headers.get('cache-status')).toBe('tidemark; fwd=stale; fwd-status=304')
  await rig.simulator.record(0)
  const before = (await rig.simulator.counters(0)).lineMs
  const grown = await rig.ask(0, 'GET', '/device/events')
  expect(grown.body).toMatchObject({ count: 13, added: 1, era: 'same' })
  // A probe and one header, not the directory from its start: less than half of 13 headers.
  expect((await rig.simulator.counters(0)).lineMs - before).toBeLessThan(6000)
  expect(await asked('events')).toBe(2)
  const forced = await rig.ask(0, 'GET', '/device/events?force=true')
  expect(forced.body).toMatchObject({ count: 13 })
  expect(await asked('events')).toBe(3)
})

it('one header comes from the cache without a probe', async () => {
  const { body: list } = await rig.ask(0, 'GET', '/device/events')
  const probes = await asked('range')
  const { status, body, headers } = await rig.ask(0, 'GET', '/device/event/3')
  expect(status).toBe(200)
  expect(body).toMatchObject((list['events'] as Record<string, unknown>[])[3] ?? {})
  expect(headers.get('cache-status')).toBe('tidemark; hit; detail=memory')
  expect(await asked('range')).toBe(probes)
})

it('a waveform is downloaded once: physical units, time axis, peaks', async () => {
  const { index, peaks } = await rig.simulator.record(0, 'waveform')
  const { body, status } = await rig.ask(0, 'GET', `/device/event/${index}/waveform`)
  expect(status).toBe(200)
  const channels = body['channels'] as Record<
    string,
    { unit: string; peak: { value: number; at: number }; samples: number[] }
  >
  expect(Object.entries(channels).map(([name, { unit }]) => `${name} ${unit}`)).toEqual([
    'Tran in/s',
    'Vert in/s',
    'Long in/s',
    'MicL psi',
  ])
  const { values, start, step } = body['time'] as { values: number[]; start: number; step: number }
  expect([start, values[0], values.length]).toEqual([-0.25, -0.25, channels['Tran']?.samples.length])
  expect(values[1]).toBeCloseTo(-0.25 + step, 5)
  expect(channels['Tran']?.peak.value).toBeCloseTo(peaks.tran, 3)
  expect(channels['MicL']?.peak.value).toBeCloseTo(peaks.micL, 3)
  await rig.reopen()
  const again = await rig.ask(0, 'GET', `/device/event/${index}/waveform`)
  expect(again.body['channels']).toEqual(channels)
  expect(again.body.cache).toMatchObject({ reason: 'hit', tier: 'sqlite' })
  expect(await asked('waveform')).toBe(1)
})

it('status is asked for again after 30 s, and 30 s is too old', async () => {
  await rig.ask(0, 'GET', '/device/monitor/status')
  await clock.advance(29_999)
  await rig.ask(0, 'GET', '/device/monitor/status')
  expect(await asked('status')).toBe(1)
  await clock.advance(1)
  const { body } = await rig.ask(0, 'GET', '/device/monitor/status')
  expect(await asked('status')).toBe(2)
  expect(body).toMatchObject({ battery_v: expect.any(Number), memory_total: 983_040, cache: { reason: 'loaded' } })
})

it('many callers share one conversation, units do not wait for each other, and no two talk at once', async () => {
  const paths = ['/device/info', '/device/monitor/status', '/device/events']
  await Promise.all(Array.from({ length: 60 }, (_, i) => rig.ask(i % 2, 'GET', paths[i % 3] ?? '/device/info')))
  const { conversations, overlaps } = await rig.simulator.counters()
  expect(overlaps).toBe(0)
  expect(conversations).toMatchObject({ info: 2, status: 2, range: 2, events: 2 })
})

it('a list of the last seconds will do for who says so; who says nothing has the unit asked', async () => {
  const polling = { headers: { 'Cache-Control': 'max-age=10' } }
  await rig.ask(0, 'GET', '/device/events', polling)
  await rig.simulator.record(0)
  await clock.advance(9_999)
  const polled = await rig.ask(0, 'GET', '/device/events', polling)
  expect(polled.body).toMatchObject({ count: 12, added: 0, era: 'same', cache: { reason: 'hit', age_seconds: 9 } })
  expect(polled.headers.get('cache-status')).toBe('tidemark; hit; detail=memory')
  expect(await asked('range')).toBe(1)
  await clock.advance(1)
  expect((await rig.ask(0, 'GET', '/device/events', polling)).body).toMatchObject({ count: 13, added: 1 })
  expect((await rig.ask(0, 'GET', '/device/events')).body).toMatchObject({ count: 13, cache: { reason: 'loaded' } })
  for (const words of ['max-age=0', 'no-cache', 'max-age=ten', 'max-stale=10'])
    await rig.ask(0, 'GET', '/device/events', { headers: { 'Cache-Control': words } })
  expect(await asked('range')).toBe(7)
})

it('an erase that any viewer heard of ends the list for all, however old a list they would take', async () => {
  const patient = { headers: { 'Cache-Control': 'no-transform, max-age="3600"' } }
  const before = await rig.ask(0, 'GET', '/device/events', patient)
  await rig.simulator.erase(0)
  await rig.simulator.refill(0, 12)
  expect((await rig.ask(0, 'GET', '/device/events', patient)).body['events']).toEqual(before.body['events'])
  const probed = await rig.ask(0, 'GET', '/device/events')
  expect(probed.body).toMatchObject({ count: 12, era: 'new' })
  const after = await rig.ask(0, 'GET', '/device/events', patient)
  expect(after.body['events']).toEqual(probed.body['events'])
  expect(after.body['events']).not.toEqual(before.body['events'])
})
