// What the gateway asks of a seismograph, whatever the wire. Units: volts, bytes, inches per second, psi, milliseconds.

/** A unit as it describes itself. */
export interface DeviceInfo {
  readonly serial: string
  readonly model: string
  readonly firmware: string
  readonly compliance: ComplianceConfig
}

/** The settings a unit records with. */
export interface ComplianceConfig {
  readonly project: string
  readonly client: string
  readonly operator: string
  readonly location: string
  /** Samples per second per channel. */
  readonly sampleRate: number
  /** Seconds recorded after the trigger. */
  readonly recordSeconds: number
  /** Ground velocity that starts a recording, in/s. */
  readonly triggerLevel: number
}

/** How many events a unit holds and, where it can tell, which are the first and the last. */
export interface StorageRange {
  readonly count: number
  readonly first?: EventStamp | undefined
  readonly last?: EventStamp | undefined
}

/** Which physical event something belongs to. Keys start over after an erase, so neither half is enough alone. */
export interface EventStamp {
  /** 8 hex digits. */
  readonly waveformKey: string
  /** ISO 8601. */
  readonly timestamp: string
}

/** Largest absolute value per channel: three of ground velocity in in/s, one of air pressure in psi. */
export interface Peaks {
  readonly tran: number
  readonly vert: number
  readonly long: number
  readonly micL: number
}

/** What a unit's event list tells of one event. */
export interface EventHeader {
  readonly index: number
  /** 8 hex digits; absent where an old record does not say. */
  readonly waveformKey?: string | undefined
  /** ISO 8601; absent where an old record does not say. */
  readonly timestamp?: string | undefined
  readonly recordType: 'waveform' | 'histogram'
  readonly peaks: Peaks
  readonly project?: ProjectInfo | undefined
}

/** Who recorded an event, and where. Often filled in later than the rest. */
export interface ProjectInfo {
  readonly project?: string | undefined
  readonly client?: string | undefined
  readonly operator?: string | undefined
  readonly location?: string | undefined
}

/** A full recording: raw ADC counts per channel and what turns them into physical units. */
export interface Waveform {
  readonly index: number
  readonly waveformKey?: string | undefined
  readonly timestamp?: string | undefined
  readonly recordType: 'waveform' | 'histogram'
  /** Samples per second per channel. */
  readonly sampleRate: number
  /** Seconds recorded before the trigger; the trigger is at time 0. */
  readonly pretriggerSeconds: number
  /** Raw ADC counts. */
  readonly samples: Readonly<Record<ChannelName, Int16Array>>
  /** Physical units per count: in/s for the geophones, psi for the microphone. */
  readonly scale: Readonly<Record<ChannelName, number>>
}

/** The channels of a unit: transverse, vertical, longitudinal, and the linear microphone. */
export const CHANNELS = ['tran', 'vert', 'long', 'micL'] as const
export type ChannelName = (typeof CHANNELS)[number]

/** What a unit tells of itself while it waits for blasts. */
export interface MonitorStatus {
  readonly isMonitoring: boolean
  /** Volts. */
  readonly batteryV: number
  /** Bytes of flash. */
  readonly memoryTotal: number
  readonly memoryFree: number
}

/** How a conversation is bounded, and where it tells how far it has come. */
export interface Conversation {
  readonly signal?: AbortSignal | undefined
  /** After every piece of a long answer. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/**
 * One unit at the end of a line. A call is one conversation; callers see to it that there is only one at a time.
 * Every method fails with a {@link UnitError}.
 */
export interface SeismographClient {
  info(conversation?: Conversation): Promise<DeviceInfo>
  countEvents(conversation?: Conversation): Promise<number>
  /** The count with the stamps of the first and the last event: what tells an erased and refilled memory apart. */
  storageRange(conversation?: Conversation): Promise<StorageRange>
  /** The headers `from` … `to - 1`. */
  readEvents(from: number, to: number, conversation?: Conversation): Promise<EventHeader[]>
  readWaveform(index: number, conversation?: Conversation): Promise<Waveform>
  monitorStatus(conversation?: Conversation): Promise<MonitorStatus>
  startMonitoring(conversation?: Conversation): Promise<void>
  stopMonitoring(conversation?: Conversation): Promise<void>
  writeConfig(config: Partial<ComplianceConfig>, conversation?: Conversation): Promise<void>
  eraseEvents(conversation?: Conversation): Promise<void>
  /** Hangs up. */
  close(): Promise<void>
}

/** Why a unit did not do what it was asked. */
export type UnitErrorCode =
  /** Nobody listens there. */
  | 'unit-refused'
  /** No answer in time, or the line broke in the middle. */
  | 'unit-unreachable'
  /** What came is no answer: malformed or of an unknown shape. */
  | 'unit-protocol'
  /** The unit says that it has no such event. */
  | 'unit-no-such-event'
  /** The unit says that it will not. */
  | 'unit-rejected'

/** The one error of a {@link SeismographClient}. */
export class UnitError extends Error {
  override readonly name = 'UnitError'
  readonly code: UnitErrorCode

  constructor(code: UnitErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
