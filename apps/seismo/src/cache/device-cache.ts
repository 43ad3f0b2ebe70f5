import {
  createTidemark,
  immutable,
  memory,
  sqlite,
  ttl,
  untilInvalidated,
  type Clock,
  type Collection,
  type Era,
  type Identity,
  type Resource,
  type Tidemark,
} from 'tidemark'
import { makeConnKey } from './conn-key.ts'
import { importLegacy, setLegacyAside, type LegacyCounts } from './legacy.ts'
import type { DeviceRecord, EventRecord, Stamped, StatusRecord, WaveformRecord } from './record.ts'
import { NO_SOURCE, type DeviceSource } from './source.ts'
import { stampOf } from './stamp.ts'

/** Options of {@link DeviceCache.open}. */
export interface DeviceCacheOptions {
  /** The database file, made with its folder when missing, or `':memory:'`. Defaults to `data/seismo.db`. */
  readonly path?: string | undefined
  /** Asks the units. Without it nothing is ever loaded, and the cache holds what is set. */
  readonly source?: DeviceSource | undefined
  /** Where time comes from. Defaults to the process's own. */
  readonly clock?: Clock | undefined
}

/** Rows by kind, as they were counted or cleared. */
export interface DeviceCounts {
  readonly device_info: number
  readonly events: number
  readonly waveforms: number
  readonly monitor_status: number
}

/** Monitor status is asked for again after this long. */
export const STATUS_TTL = '30s'
const MEMORY_BYTES_MAX = 256 * 1024 * 1024

/**
 * Everything known of a fleet of seismographs, by connection key (`tcp:HOST:PORT`, `serial:PORT:BAUD`). The operations
 * below read and write what is stored; the constructs (`info`, `events`, …) also ask the unit when they must.
 *
 * @example
 * await using cache = await DeviceCache.open({ path: 'data/seismo.db' })
 * const unit = DeviceCache.makeConnKey({ host: '10.0.0.7' })
 * await cache.setDeviceInfo(unit, { serial: 'BE11529' })
 */
export class DeviceCache implements AsyncDisposable {
  static readonly makeConnKey: typeof makeConnKey = makeConnKey

  readonly tide: Tidemark
  /** One life of a unit's event memory: an erase ends it, and with it all events and waveforms. */
  readonly deviceMemory: Era
  /** Serial, model, firmware, compliance settings: good until a configuration is written. */
  readonly info: Resource<string, DeviceRecord>
  /** Event headers: every list asks the unit for its count and its first and last event, and fetches what is new. */
  readonly events: Collection<string, EventRecord>
  /** Recordings, by unit and index: for ever, within one life of the unit's memory. */
  readonly waveforms: Resource<readonly [unit: string, index: number], WaveformRecord>
  /** Battery, memory, monitoring: good for 30 s; the last known value stands in for a unit that cannot be reached. */
  readonly status: Resource<string, StatusRecord>
  /** Rows taken over from a database of the older program, when this opening found one. */
  migrated: LegacyCounts | undefined

  /** Opens the database; one of the older program is taken over first, whole. Errors: those of `createTidemark`. */
  static async open(options: DeviceCacheOptions = {}): Promise<DeviceCache> {
    const path = options.path ?? 'data/seismo.db'
    const legacy = setLegacyAside(path)
    const cache = new DeviceCache(path, options)
    try {
      if (legacy !== undefined) cache.migrated = await importLegacy(legacy, cache)
    } catch (error) {
      await cache.close()
      throw error
    }
    return cache
  }

  private constructor(path: string, { source = NO_SOURCE, clock }: DeviceCacheOptions) {
    const tiers = [memory({ maxEntries: 50_000, maxBytes: MEMORY_BYTES_MAX }), sqlite({ path })]
    // Samples are typed arrays, which cannot be frozen: every reader would get a copy of megabytes. Nobody here writes to them.
    this.tide = createTidemark({ tiers, clock, freeze: false })
    this.deviceMemory = this.tide.era('device-memory')
    this.info = this.tide.resource({
      name: 'device-info',
      scope: (unit: string) => unit,
      load: (unit, { signal, stale }) => this.#loadInfo(source, unit, signal, stale as DeviceRecord | undefined),
      freshness: untilInvalidated(),
      // An outdated record still knows the serial, so that a swapped unit is noticed.
      keep: FOREVER,
      timeout: { hard: '2m' },
    })
    this.events = this.tide.collection({
      name: 'events',
      era: this.deviceMemory,
      probe: async (unit: string, { signal }) => {
        const { count, first, last } = await source.storageRange(unit, { signal })
        return { count, first: first && stampOf(first), last: last && stampOf(last) }
      },
      load: (unit, range) => source.events(unit, range.from, range.to, range),
      identity: identityOf,
      staleIfError: '7d',
      timeout: { hard: '10m' },
    })
    this.waveforms = this.tide.resource({
      name: 'waveforms',
      era: this.deviceMemory,
      scope: ([unit]: readonly [string, number]) => unit,
      load: ([unit, index], context) => source.waveform(unit, index, context),
      freshness: immutable({ identity: identityOf }),
      timeout: { hard: '10m' },
    })
    this.status = this.tide.resource({
      name: 'monitor-status',
      scope: (unit: string) => unit,
      load: (unit, { signal }) => source.monitorStatus(unit, { signal }),
      freshness: ttl(STATUS_TTL),
      staleIfError: '7d',
      keep: FOREVER,
      timeout: { soft: '3s', hard: '2m' },
    })
  }

  /** The info of a unit; `undefined` when there is none, or it is outdated. */
  getDeviceInfo(unit: string): Promise<DeviceRecord | undefined> {
    return this.info.stored(unit)
  }

  /** Stores a unit's info and says that it is up to date. Another serial than before is another unit: all else of it goes. */
  async setDeviceInfo(unit: string, info: DeviceRecord, at?: { readonly loadedAt: number }): Promise<void> {
    await this.#endIfSwapped(unit, await this.lastKnownInfo(unit), info)
    await this.info.set(unit, info, at)
  }

  /** The info of a unit even if it is outdated. Asks nobody. */
  lastKnownInfo(unit: string): Promise<DeviceRecord | undefined> {
    return this.info.stored(unit, { stale: true })
  }

  /** Says that a unit's configuration was written: the next read asks the unit. */
  async markConfigDirty(unit: string): Promise<void> {
    await this.info.invalidate(unit)
  }

  /** How many events of a unit are stored. */
  async getCachedEventCount(unit: string): Promise<number> {
    return (await this.events.stored(unit))?.size ?? 0
  }

  /** All stored events of a unit by index; `undefined` when there is none. */
  async getAllEvents(unit: string): Promise<EventRecord[] | undefined> {
    const stored = await this.events.stored(unit)
    return stored && [...stored.values()]
  }

  async getEvent(unit: string, index: number): Promise<EventRecord | undefined> {
    return (await this.events.stored(unit))?.get(index)
  }

  /** Stores events by their `index`. One that names another physical event than before ends the life of that memory first. */
  async setEvents(unit: string, events: readonly EventRecord[]): Promise<void> {
    for (const { index } of events) {
      if (!Number.isInteger(index) || index < 0) throw new TypeError(`Expected index to be from 0, got ${index}.`)
    }
    if (events.length > 0) await this.events.set(unit, new Map(events.map((event) => [event.index, event])))
  }

  async getWaveform(unit: string, index: number): Promise<WaveformRecord | undefined> {
    return this.waveforms.stored([unit, index])
  }

  /** Stores a recording; like {@link setEvents}, one of another physical event ends the life of that memory first. */
  async setWaveform(
    unit: string,
    index: number,
    waveform: WaveformRecord,
    at?: { readonly loadedAt: number },
  ): Promise<void> {
    await this.waveforms.set([unit, index], waveform, at)
  }

  /** The status of a unit, if it is younger than 30 s. */
  getMonitorStatus(unit: string): Promise<StatusRecord | undefined> {
    return this.status.stored(unit)
  }

  async setMonitorStatus(unit: string, status: StatusRecord, at?: { readonly loadedAt: number }): Promise<void> {
    await this.status.set(unit, status, at)
  }

  /** Drops a unit's status: monitoring was started or stopped. */
  async invalidateMonitorStatus(unit: string): Promise<void> {
    await this.status.delete(unit)
  }

  /** Drops everything about a unit. Resolves to how many rows that were. */
  async clearDevice(unit: string): Promise<DeviceCounts> {
    const dropped = await this.tide.scope(unit).clear()
    return {
      device_info: dropped[this.info.name] ?? 0,
      events: dropped[this.events.name] ?? 0,
      waveforms: dropped[this.waveforms.name] ?? 0,
      monitor_status: dropped[this.status.name] ?? 0,
    }
  }

  /** How many rows are stored, by kind. */
  async stats(): Promise<{ devices: number; events: number; waveforms: number; monitor_status: number }> {
    return {
      devices: await this.info.count(),
      events: await this.events.count(),
      waveforms: await this.waveforms.count(),
      monitor_status: await this.status.count(),
    }
  }

  close(): Promise<void> {
    return this.tide.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #loadInfo(
    source: DeviceSource,
    unit: string,
    signal: AbortSignal,
    known: DeviceRecord | undefined,
  ): Promise<DeviceRecord> {
    const info = await source.info(unit, { signal })
    await this.#endIfSwapped(unit, known, info)
    return info
  }

  /** A different serial at the same address: nothing that was known of the old unit is true of the new one. */
  async #endIfSwapped(unit: string, known: DeviceRecord | undefined, info: DeviceRecord): Promise<void> {
    if (!known?.serial || !info.serial || known.serial === info.serial) return
    await this.deviceMemory.renew(unit, `serial ${info.serial} answers where ${known.serial} did`)
    await this.status.delete(unit)
  }
}

const FOREVER = '36500d'

function identityOf(record: Stamped): Identity {
  return stampOf(record)
}
