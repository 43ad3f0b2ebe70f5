import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DeviceCache } from '../../src/cache/device-cache.ts'

const UNIT = 'tcp:10.0.0.7:12345'
let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seismo-'))
  path = join(folder, 'sfm_cache.db')
})

afterEach(() => rmSync(folder, { recursive: true }))

/** A database as the older program left it; `stamped`: after it had learnt to store stamps. */
function legacy(stamped: boolean, rows: (database: DatabaseSync) => void): void {
  const stamp = stamped ? ', waveform_key TEXT, event_timestamp TEXT' : ''
  const database = new DatabaseSync(path)
  database.exec(`
    CREATE TABLE cached_devices (conn_key TEXT PRIMARY KEY, serial TEXT, info_json TEXT NOT NULL, updated_at REAL NOT NULL, config_dirty BOOLEAN NOT NULL);
    CREATE TABLE cached_events (conn_key TEXT, "index" INTEGER, event_json TEXT NOT NULL, cached_at REAL NOT NULL${stamp}, PRIMARY KEY (conn_key, "index"));
    CREATE TABLE cached_waveforms (conn_key TEXT, "index" INTEGER, waveform_json TEXT NOT NULL, cached_at REAL NOT NULL${stamp}, PRIMARY KEY (conn_key, "index"));
    CREATE TABLE cached_monitor_status (conn_key TEXT PRIMARY KEY, status_json TEXT NOT NULL, cached_at REAL NOT NULL);`)
  rows(database)
  database.close()
}

it.for([true, false])('a database of the older program keeps every row, stamped: %s', async (stamped) => {
  const then = Date.now() / 1000 - 3600
  const extra = stamped ? ", '01110000', NULL" : ''
  legacy(stamped, (database) => {
    database.exec(`
      INSERT INTO cached_devices VALUES ('${UNIT}', 'BE1', '{"serial":"BE1","firmware":"S337"}', ${then}, 0), ('serial:COM3:38400', NULL, '{"model":"x"}', ${then}, 1);
      INSERT INTO cached_events VALUES ('${UNIT}', 0, '{"index":0,"timestamp":{"iso":"2024-01-02T03:04:05"}}', ${then}${extra}), ('${UNIT}', 7, '{"index":7}', ${then}${extra.replace("'01110000'", 'NULL')});
      INSERT INTO cached_waveforms VALUES ('${UNIT}', 0, '{"channels":{"Tran":[1,2]}}', ${then}${extra});
      INSERT INTO cached_monitor_status VALUES ('${UNIT}', '{"battery_v":6.2}', ${then});`)
  })
  await using cache = await DeviceCache.open({ path })
  expect(cache.migrated).toEqual({ devices: 2, events: 2, waveforms: 1, monitor_status: 1, unreadable: 0 })
  expect(await cache.stats()).toEqual({ devices: 2, events: 2, waveforms: 1, monitor_status: 1 })
  expect(await cache.getDeviceInfo(UNIT)).toEqual({ serial: 'BE1', firmware: 'S337' })
  expect(await cache.getDeviceInfo('serial:COM3:38400')).toBeUndefined()
  expect((await cache.getAllEvents(UNIT))?.map(({ index }) => index)).toEqual([0, 7])
  expect(await cache.getWaveform(UNIT, 0)).toMatchObject({ channels: { Tran: [1, 2] } })
  // Older than 30 s, so not handed out; and it stays known how old.
  expect(await cache.getMonitorStatus(UNIT)).toBeUndefined()
  expect((await cache.info.read(UNIT)).age).toBeGreaterThan(3_590_000)
  // What the columns or the rows knew of stamps still guards the unit.
  await cache.setEvents(UNIT, [{ index: 0, timestamp: '2025-01-01T00:00:00' }])
  expect(await cache.getWaveform(UNIT, 0)).toBeUndefined()
})

it('is taken over once, and the old file is kept', async () => {
  legacy(true, (database) => {
    database.exec(`INSERT INTO cached_events VALUES ('${UNIT}', 0, '{}', 1, NULL, NULL)`)
  })
  await (await DeviceCache.open({ path })).close()
  expect(existsSync(`${path}.legacy-imported`)).toBe(true)
  await using again = await DeviceCache.open({ path })
  expect(again.migrated).toBeUndefined()
  expect(await again.getEvent(UNIT, 0)).toEqual({ index: 0 })
})

it('a row that is no JSON object is counted, and the rest is taken over', async () => {
  legacy(true, (database) => {
    database.exec(
      `INSERT INTO cached_events VALUES ('${UNIT}', 0, '{"a":', 1, NULL, NULL), ('${UNIT}', 1, '[1]', 1, NULL, NULL), ('${UNIT}', 2, '{"a":1}', 1, NULL, NULL)`,
    )
  })
  await using cache = await DeviceCache.open({ path })
  expect(cache.migrated).toMatchObject({ events: 1, unreadable: 2 })
  expect(await cache.getAllEvents(UNIT)).toEqual([{ index: 2, a: 1 }])
})

it('an import that was cut short is done again', async () => {
  legacy(true, (database) => {
    database.exec(`INSERT INTO cached_devices VALUES ('${UNIT}', 'BE1', '{"serial":"BE1"}', 1, 0)`)
  })
  const { renameSync } = await import('node:fs')
  // As a crash right after the first step leaves it.
  renameSync(path, `${path}.legacy`)
  await using cache = await DeviceCache.open({ path })
  expect(await cache.getDeviceInfo(UNIT)).toEqual({ serial: 'BE1' })
})

it('rows of two lives of one memory: the later one stays', async () => {
  legacy(true, (database) => {
    database.exec(`
      INSERT INTO cached_waveforms VALUES ('${UNIT}', 0, '{"life":1}', 100, '01110000', '2024-01-01T00:00:00');
      INSERT INTO cached_events VALUES ('${UNIT}', 0, '{"life":2}', 200, '01110000', '2024-06-01T00:00:00');`)
  })
  await using cache = await DeviceCache.open({ path })
  expect(await cache.getEvent(UNIT, 0)).toMatchObject({ life: 2 })
  expect(await cache.getWaveform(UNIT, 0)).toBeUndefined()
})
