// Taking over the database of the older program: four tables of JSON rows. It is set aside first and kept; an import that
// was cut short is done again at the next opening.

import { existsSync, renameSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { DeviceCache } from './device-cache.ts'
import type { EventRecord, JsonObject, WaveformRecord } from './record.ts'

/** Rows by table, and those that could not be read as JSON objects; they are still in the file that was set aside. */
export interface LegacyCounts {
  readonly devices: number
  readonly events: number
  readonly waveforms: number
  readonly monitor_status: number
  readonly unreadable: number
}

const TABLES = ['cached_devices', 'cached_events', 'cached_waveforms', 'cached_monitor_status'] as const

/** Moves an older database out of the way. Returns where it is while it waits to be imported. */
export function setLegacyAside(path: string): string | undefined {
  if (path === ':memory:') return undefined
  const aside = `${path}.legacy`
  if (!isLegacy(path)) return existsSync(aside) ? aside : undefined
  if (existsSync(aside)) throw new Error(`Both ${path} and ${aside} are older databases: move one of them away first.`)
  const database = new DatabaseSync(path)
  try {
    // Whatever waits in its journal belongs into the one file that is moved.
    database.exec('PRAGMA journal_mode = DELETE')
  } finally {
    database.close()
  }
  renameSync(path, aside)
  return aside
}

/** Stores every row under the new roof, oldest first, and marks the file as done. */
export async function importLegacy(file: string, cache: DeviceCache): Promise<LegacyCounts> {
  const counts = { devices: 0, events: 0, waveforms: 0, monitor_status: 0, unreadable: 0 }
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const read = (table: (typeof TABLES)[number], json: string, at: string): Row[] => {
      const rows = rowsOf(database, table, json, at)
      counts.unreadable += rows.filter((row) => !row.value).length
      return rows.filter((row) => row.value)
    }
    for (const { unit, value, at, dirty } of read('cached_devices', 'info_json', 'updated_at')) {
      await cache.setDeviceInfo(unit, value as JsonObject, at)
      if (dirty) await cache.markConfigDirty(unit)
      counts.devices++
    }
    const events = read('cached_events', 'event_json', 'cached_at').map((row) => ({ ...row, kind: 'event' as const }))
    const waveforms = read('cached_waveforms', 'waveform_json', 'cached_at').map((row) => ({
      ...row,
      kind: 'waveform' as const,
    }))
    for (const run of runsOf(
      [...events, ...waveforms].toSorted((a, b) => (a.at?.loadedAt ?? 0) - (b.at?.loadedAt ?? 0)),
    )) {
      const [first] = run
      if (first?.kind === 'event')
        await cache.setEvents(
          first.unit,
          run.map((row) => row.value as EventRecord),
        )
      else for (const row of run) await cache.setWaveform(row.unit, row.index, row.value as WaveformRecord, row.at)
    }
    counts.events = events.length
    counts.waveforms = waveforms.length
    for (const { unit, value, at } of read('cached_monitor_status', 'status_json', 'cached_at')) {
      await cache.setMonitorStatus(unit, value as JsonObject, at)
      counts.monitor_status++
    }
  } finally {
    database.close()
  }
  renameSync(file, `${file}-imported`)
  return counts
}

interface Row {
  readonly unit: string
  readonly index: number
  readonly value: JsonObject | undefined
  readonly at: { readonly loadedAt: number } | undefined
  readonly dirty: boolean
}

function isLegacy(path: string): boolean {
  if (!existsSync(path)) return false
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { readOnly: true })
    return tablesOf(database).some((name) => (TABLES as readonly string[]).includes(name))
  } catch {
    // No database, or one that cannot be read: opening it as the cache's own says what is wrong.
    return false
  } finally {
    database?.close()
  }
}

function tablesOf(database: DatabaseSync): string[] {
  return database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all()
    .map((row) => String(row['name']))
}

function rowsOf(database: DatabaseSync, table: string, json: string, at: string): Row[] {
  if (!tablesOf(database).includes(table)) return []
  const now = Date.now()
  return database
    .prepare(`SELECT * FROM ${table}`)
    .all()
    .map((row) => {
      const seconds = row[at]
      const index = typeof row['index'] === 'number' ? row['index'] : 0
      return {
        unit: String(row['conn_key']),
        index,
        value: recordOf(
          row[json],
          { index, waveform_key: row['waveform_key'], timestamp: row['event_timestamp'] },
          table,
        ),
        at: typeof seconds === 'number' ? { loadedAt: Math.max(0, Math.min(now, seconds * 1000)) } : undefined,
        dirty: row['config_dirty'] === 1,
      }
    })
}

/** The row's JSON; what only its columns know of its stamp is added to it. */
function recordOf(json: unknown, columns: JsonObject, table: string): JsonObject | undefined {
  let value: unknown
  try {
    value = JSON.parse(String(json))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const record = value as JsonObject
  if (table !== 'cached_events' && table !== 'cached_waveforms') return record
  const known = { ...record }
  for (const [field, column] of Object.entries(columns)) {
    const isSaid = field === 'waveform_key' ? (record[field] ?? record[`_${field}`]) : record[field]
    if ((isSaid === undefined || isSaid === null) && column !== null && column !== undefined) known[field] = column
  }
  if (table === 'cached_events') known['index'] = columns['index']
  return known
}

/** Neighbours of one kind and unit, so that the events of a unit are stored together. */
function runsOf<R extends { readonly kind: string; readonly unit: string }>(rows: readonly R[]): R[][] {
  const runs: R[][] = []
  for (const row of rows) {
    const last = runs.at(-1)
    if (last?.[0]?.kind === row.kind && last[0].unit === row.unit) last.push(row)
    else runs.push([row])
  }
  return runs
}
