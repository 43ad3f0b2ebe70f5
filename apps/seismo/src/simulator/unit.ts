// The state of one simulated unit: what a seismograph remembers with its line hung up.

import { changedConfig, initialConfig } from './compliance.ts'
import { record, type Recording, type RecordType } from './recording.ts'
import type {
  ComplianceConfig,
  DeviceInfo,
  EventHeader,
  EventStamp,
  MonitorStatus,
  StorageRange,
} from '../unit/client.ts'
import type { Random } from './random.ts'

/** Where keys start, and start over after every erase. */
const FIRST_KEY = 0x0111_0000
const FLASH_BYTES = 960 * 1024
/** Unit-local, without a zone: units know none. */
const FIRST_DAY_MS = Date.UTC(2026, 2, 2, 6)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** One recording of so many is a waveform. */
const WAVEFORM_EVERY = 20
const EMPTY_BATTERY_V = 5.8
const DRAIN_V_PER_HOUR = { monitoring: 0.006, idle: 0.001 }

/** The flash has no room for the recording. */
class MemoryFull extends Error {
  override readonly name = 'MemoryFull'
}

/** A seismograph: its settings, its events, its clock and its battery. */
export class Unit {
  readonly #random: Random
  readonly #elapsedMs: () => number
  #serial: string
  #config: ComplianceConfig
  #events: Recording[] = []
  #usedBytes = 0
  /** When the last event was; never goes back, so that no two events have the same time. */
  #clockMs: number
  /** Recordings until the next waveform. */
  #untilWaveform: number
  #isMonitoring = true
  #batteryV: number
  #drainedAtMs: number

  /** @param elapsedMs milliseconds the unit has been running, at its own pace; the battery drains by it */
  constructor(serial: string, random: Random, elapsedMs: () => number) {
    this.#serial = serial
    this.#random = random
    this.#elapsedMs = elapsedMs
    this.#config = initialConfig(random)
    this.#clockMs = FIRST_DAY_MS + random.integer(0, 48) * HOUR_MS
    this.#untilWaveform = firstWaveform(random)
    this.#batteryV = random.between(6.3, 7.1)
    this.#drainedAtMs = elapsedMs()
  }

  get serial(): string {
    return this.#serial
  }

  get info(): DeviceInfo {
    return { serial: this.#serial, model: 'MiniMate Plus', firmware: 'S338.17', compliance: this.#config }
  }

  get count(): number {
    return this.#events.length
  }

  get range(): StorageRange {
    const [first, last] = [this.#events[0], this.#events.at(-1)]
    return first && last ? { count: this.count, first: stampOf(first), last: stampOf(last) } : { count: 0 }
  }

  get status(): MonitorStatus {
    this.#drain()
    return {
      isMonitoring: this.#isMonitoring,
      batteryV: Math.round(this.#batteryV * 100) / 100,
      memoryTotal: FLASH_BYTES,
      memoryFree: FLASH_BYTES - this.#usedBytes,
    }
  }

  header(index: number): EventHeader | undefined {
    const event = this.#events[index]
    if (!event) return undefined
    const { waveformKey, timestamp, recordType, peaks, project } = event
    return { index, waveformKey, timestamp, recordType, peaks, project }
  }

  recording(index: number): Recording | undefined {
    return this.#events[index]
  }

  monitor(isMonitoring: boolean): void {
    this.#drain()
    this.#isMonitoring = isMonitoring
  }

  /** Throws a `ConfigRefusal` for nonsense. */
  writeConfig(change: Readonly<Record<string, unknown>>): void {
    this.#config = changedConfig(this.#config, change)
  }

  /** Stores one more event; 19 of 20 are histograms unless told otherwise. Throws {@link MemoryFull}. */
  record(recordType: RecordType = this.#nextType()): EventHeader {
    const made = record(this.#random.fork(), this.#config, recordType)
    const freeBytes = FLASH_BYTES - this.#usedBytes
    if (made.bytes > freeBytes)
      throw new MemoryFull(`${this.#serial} has ${freeBytes} bytes left; a ${recordType} takes ${made.bytes}`)
    this.#clockMs += this.#random.integer(20 * 60, 5 * 3600) * 1000
    const waveformKey = (FIRST_KEY + this.#usedBytes).toString(16).padStart(8, '0')
    this.#events.push({ ...made, waveformKey, timestamp: new Date(this.#clockMs).toISOString().slice(0, 19) })
    this.#usedBytes += made.bytes
    return this.header(this.count - 1) as EventHeader
  }

  /** Records until `count` events are stored. */
  fill(count: number): void {
    while (this.count < count) this.record()
  }

  erase(): void {
    this.#events = []
    this.#usedBytes = 0
    this.#untilWaveform = firstWaveform(this.#random)
  }

  /** Another unit takes the place of this one: another serial, other settings, other events, as many as before. */
  swap(serial: string, count: number = this.count): void {
    this.#serial = serial
    this.#config = initialConfig(this.#random)
    this.#batteryV = this.#random.between(6.3, 7.1)
    this.erase()
    this.fill(count)
  }

  #nextType(): RecordType {
    if (this.#untilWaveform-- > 0) return 'histogram'
    this.#untilWaveform = WAVEFORM_EVERY - 1
    return 'waveform'
  }

  #drain(): void {
    const nowMs = this.#elapsedMs()
    const perHour = DRAIN_V_PER_HOUR[this.#isMonitoring ? 'monitoring' : 'idle']
    this.#batteryV = Math.max(EMPTY_BATTERY_V, this.#batteryV - ((nowMs - this.#drainedAtMs) / HOUR_MS) * perHour)
    this.#drainedAtMs = nowMs
  }
}

/** Among the first five, so that every unit of the fleet has a waveform. */
function firstWaveform(random: Random): number {
  return random.integer(0, 4)
}

function stampOf({ waveformKey, timestamp }: Recording): EventStamp {
  return { waveformKey, timestamp }
}
