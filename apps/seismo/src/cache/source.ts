import type { DeviceRecord, EventRecord, Stamped, StatusRecord, WaveformRecord } from './record.ts'

/** How a question is bounded, and where a long answer tells how far it has come. */
export interface Asking {
  readonly signal: AbortSignal
  progress?(done: number, total: number): void
}

/** What the cache asks of units, by connection key. */
export interface DeviceSource {
  info(unit: string, asking: Asking): Promise<DeviceRecord>
  /** How many events there are, with what tells the first and the last one apart from others. */
  storageRange(
    unit: string,
    asking: Asking,
  ): Promise<{ readonly count: number; readonly first?: Stamped | undefined; readonly last?: Stamped | undefined }>
  /** The events `from` … `to - 1`. */
  events(unit: string, from: number, to: number, asking: Asking): Promise<EventRecord[]>
  waveform(unit: string, index: number, asking: Asking): Promise<WaveformRecord>
  monitorStatus(unit: string, asking: Asking): Promise<StatusRecord>
}

/** Of a cache that was opened without units. */
export const NO_SOURCE: DeviceSource = {
  info: refuse,
  storageRange: refuse,
  events: refuse,
  waveform: refuse,
  monitorStatus: refuse,
}

async function refuse(unit: string): Promise<never> {
  throw new Error(`Nobody asks ${unit}: the cache was opened without a source.`)
}
