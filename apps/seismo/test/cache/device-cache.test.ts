import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from 'tidemark/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DeviceCache } from '../../src/cache/device-cache.ts'

const UNIT = DeviceCache.makeConnKey({ host: '10.0.0.7' })
const OTHER = DeviceCache.makeConnKey({ port: 'COM3' })
const EVENT = { index: 0, waveform_key: '01110000', timestamp: '2026-03-01T08:00:00Z', peaks: { tran: 0.5 } }
const WAVEFORM = { waveform_key: '01110000', timestamp: '2026-03-01T08:00:00Z', samples: [1, 2, 3] }

let clock: FakeClock
let cache: DeviceCache

beforeEach(async () => {
  clock = new FakeClock()
  cache = await DeviceCache.open({ path: ':memory:', clock })
})

afterEach(() => cache.close())

it('connection keys have the defaults of the field', () => {
  expect([UNIT, OTHER]).toEqual(['tcp:10.0.0.7:12345', 'serial:COM3:38400'])
  expect(DeviceCache.makeConnKey({ host: 'a', tcpPort: 9 })).toBe('tcp:a:9')
  expect(DeviceCache.makeConnKey({ port: '/dev/ttyS0', baud: 9600 })).toBe('serial:/dev/ttyS0:9600')
})

describe('device info', () => {
  it('is good until its configuration is written, and setting it clears the mark', async () => {
    await cache.setDeviceInfo(UNIT, { serial: 'BE11529', firmware: '1' })
    await clock.jump(365 * 86_400_000)
    expect(await cache.getDeviceInfo(UNIT)).toEqual({ serial: 'BE11529', firmware: '1' })
    await cache.markConfigDirty(UNIT)
    expect(await cache.getDeviceInfo(UNIT)).toBeUndefined()
    expect((await cache.stats()).devices).toBe(1)
    await cache.setDeviceInfo(UNIT, { serial: 'BE11529', firmware: '2' })
    expect(await cache.getDeviceInfo(UNIT)).toEqual({ serial: 'BE11529', firmware: '2' })
  })

  it('marking an unknown unit does nothing, now and to what is set later', async () => {
    await cache.markConfigDirty(UNIT)
    expect((await cache.stats()).devices).toBe(0)
    await cache.setDeviceInfo(UNIT, { serial: 'BE1' })
    expect(await cache.getDeviceInfo(UNIT)).toEqual({ serial: 'BE1' })
  })

  it('another serial at the same address is another unit: events, waveforms and status of the old one go', async () => {
    await cache.setDeviceInfo(UNIT, { serial: 'BE1' })
    await cache.setEvents(UNIT, [EVENT])
    await cache.setWaveform(UNIT, 0, WAVEFORM)
    await cache.setMonitorStatus(UNIT, { battery_v: 6 })
    await cache.markConfigDirty(UNIT)
    await cache.setDeviceInfo(UNIT, { serial: 'BE2' })
    expect(await cache.stats()).toEqual({ devices: 1, events: 0, waveforms: 0, monitor_status: 0 })
  })

  it('a serial that is not said is no other serial', async () => {
    await cache.setDeviceInfo(UNIT, { serial: 'BE1' })
    await cache.setEvents(UNIT, [EVENT])
    await cache.setDeviceInfo(UNIT, { serial: null })
    expect(await cache.getCachedEventCount(UNIT)).toBe(1)
  })
})

describe('events', () => {
  it('nothing cached is undefined, not an empty list', async () => {
    expect(await cache.getAllEvents(UNIT)).toBeUndefined()
    expect(await cache.getCachedEventCount(UNIT)).toBe(0)
    expect(await cache.getEvent(UNIT, 0)).toBeUndefined()
  })

  it('come back by index, whatever order they were set in, each unit its own', async () => {
    await cache.setEvents(UNIT, [{ index: 11 }, { index: 2 }])
    await cache.setEvents(UNIT, [{ index: 0 }])
    await cache.setEvents(OTHER, [{ index: 5 }])
    expect((await cache.getAllEvents(UNIT))?.map(({ index }) => index)).toEqual([0, 2, 11])
    expect(await cache.getCachedEventCount(UNIT)).toBe(3)
    expect(await cache.getEvent(OTHER, 5)).toEqual({ index: 5 })
    expect(await cache.getEvent(OTHER, 0)).toBeUndefined()
  })

  it('a backfill refreshes a record without losing what is known of its stamp', async () => {
    await cache.setEvents(UNIT, [EVENT])
    await cache.setWaveform(UNIT, 0, WAVEFORM)
    await cache.setEvents(UNIT, [{ index: 0, project: 'Quarry', peaks: { tran: 0.7 } }])
    expect(await cache.getEvent(UNIT, 0)).toEqual({ index: 0, project: 'Quarry', peaks: { tran: 0.7 } })
    // The stamp is still known: another event at this index is noticed.
    await cache.setEvents(UNIT, [{ index: 0, timestamp: '2026-04-01T08:00:00Z' }])
    expect(await cache.getWaveform(UNIT, 0)).toBeUndefined()
  })

  it('an index that is none is refused, and nothing is lost', async () => {
    await cache.setEvents(UNIT, [EVENT])
    await expect(cache.setEvents(UNIT, [{ index: -1 }])).rejects.toThrow('from 0')
    expect(await cache.getCachedEventCount(UNIT)).toBe(1)
  })
})

describe('a reused key', () => {
  const second = { index: 0, waveform_key: '01110000', timestamp: '2026-05-01T09:00:00Z' }

  beforeEach(async () => {
    await cache.setDeviceInfo(UNIT, { serial: 'BE1' })
    await cache.setMonitorStatus(UNIT, { battery_v: 6.1 })
    await cache.setEvents(UNIT, [EVENT, { index: 1, waveform_key: '01110100' }])
    await cache.setWaveform(UNIT, 0, WAVEFORM)
    await cache.setEvents(OTHER, [EVENT])
  })

  it('seen by an event drops events and waveforms of that unit, and nothing else', async () => {
    await cache.setEvents(UNIT, [second])
    expect(await cache.getAllEvents(UNIT)).toEqual([second])
    expect(await cache.getWaveform(UNIT, 0)).toBeUndefined()
    expect(await cache.getDeviceInfo(UNIT)).toBeDefined()
    expect(await cache.getMonitorStatus(UNIT)).toBeDefined()
    expect(await cache.getCachedEventCount(OTHER)).toBe(1)
  })

  it('seen by a waveform does the same', async () => {
    await cache.setWaveform(UNIT, 0, { ...second, samples: [9] })
    expect(await cache.getAllEvents(UNIT)).toBeUndefined()
    expect(await cache.getWaveform(UNIT, 0)).toMatchObject({ samples: [9] })
  })

  it('seen by one of several events stores all of them, and none of the old', async () => {
    await cache.setEvents(UNIT, [{ index: 3 }, second])
    expect((await cache.getAllEvents(UNIT))?.map(({ index }) => index)).toEqual([0, 3])
  })

  it('is noticed against a stamped waveform although the event there has no stamp', async () => {
    await cache.clearDevice(UNIT)
    await cache.setWaveform(UNIT, 4, WAVEFORM)
    await cache.setEvents(UNIT, [{ index: 4 }])
    await cache.setEvents(UNIT, [{ ...second, index: 4 }])
    expect(await cache.getWaveform(UNIT, 4)).toBeUndefined()
  })

  it.for([
    ['no stamp', {}],
    ['only the key', { waveform_key: '01110000' }],
    ['only the time', { timestamp: EVENT.timestamp }],
    ['the key as bytes', { waveform_key: Buffer.from('01110000', 'hex') }],
    ['the key under its inner name', { _waveform_key: '01110000' }],
    ['the time in an object', { timestamp: { iso: EVENT.timestamp } }],
    ['the time as text in an object', { timestamp: { string: EVENT.timestamp } }],
    ['the same instant written otherwise', { timestamp: '2026-03-01T09:00:00.000+01:00' }],
    ['null for the time', { waveform_key: '01110000', timestamp: null }],
    ['empty text', { waveform_key: '', timestamp: '' }],
  ] as const)('is not seen in %s', async ([, stamp]) => {
    await cache.setEvents(UNIT, [{ index: 0, ...stamp }])
    expect(await cache.getCachedEventCount(UNIT)).toBe(2)
    expect(await cache.getWaveform(UNIT, 0)).toBeDefined()
  })

  it.for([
    ['another key as bytes', { waveform_key: Buffer.from('01110200', 'hex') }],
    ['another time in an object', { timestamp: { iso: second.timestamp } }],
    ['another time as text in an object', { timestamp: { string: second.timestamp } }],
  ] as const)('is seen in %s', async ([, stamp]) => {
    await cache.setEvents(UNIT, [{ index: 0, ...stamp }])
    expect(await cache.getCachedEventCount(UNIT)).toBe(1)
  })
})

describe('monitor status', () => {
  it('is good for less than 30 s', async () => {
    await cache.setMonitorStatus(UNIT, { is_monitoring: true })
    await clock.advance(29_999)
    expect(await cache.getMonitorStatus(UNIT)).toEqual({ is_monitoring: true })
    await clock.advance(1)
    expect(await cache.getMonitorStatus(UNIT)).toBeUndefined()
  })

  it('goes at once when monitoring starts or stops', async () => {
    await cache.setMonitorStatus(UNIT, { is_monitoring: true })
    await cache.invalidateMonitorStatus(UNIT)
    expect(await cache.getMonitorStatus(UNIT)).toBeUndefined()
    expect((await cache.stats()).monitor_status).toBe(0)
  })
})

it('clearDevice answers how many rows went, of that unit only', async () => {
  for (const unit of [UNIT, OTHER]) {
    await cache.setDeviceInfo(unit, { serial: unit })
    await cache.setEvents(unit, [{ index: 0 }, { index: 1 }, { index: 2 }])
    await cache.setWaveform(unit, 1, { samples: [] })
    await cache.setMonitorStatus(unit, {})
  }
  expect(await cache.clearDevice(UNIT)).toEqual({ device_info: 1, events: 3, waveforms: 1, monitor_status: 1 })
  expect(await cache.clearDevice(UNIT)).toEqual({ device_info: 0, events: 0, waveforms: 0, monitor_status: 0 })
  expect(await cache.stats()).toEqual({ devices: 1, events: 3, waveforms: 1, monitor_status: 1 })
})

it('outlives the process: a new opening of the same path has everything', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'seismo-'))
  const path = join(folder, 'deep', 'cache.db')
  const samples = Int16Array.from({ length: 60_000 }, (_, i) => (i * 7919) % 32_768)
  {
    await using first = await DeviceCache.open({ path })
    await first.setDeviceInfo(UNIT, { serial: 'BE1' })
    await first.setEvents(UNIT, [EVENT])
    await first.setWaveform(UNIT, 0, { ...WAVEFORM, samples })
  }
  await using second = await DeviceCache.open({ path })
  expect(await second.getDeviceInfo(UNIT)).toEqual({ serial: 'BE1' })
  expect(await second.getAllEvents(UNIT)).toEqual([EVENT])
  expect(await second.getWaveform(UNIT, 0)).toEqual({ ...WAVEFORM, samples })
  rmSync(folder, { recursive: true })
})
