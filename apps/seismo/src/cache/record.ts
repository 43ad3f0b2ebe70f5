// What is kept of a unit, in the shape it is answered in. Records of older programs are kept as they are, whatever else
// they hold.

/** A JSON object. */
export interface JsonObject {
  readonly [field: string]: unknown
}

/** What a unit says of itself; `serial` names the physical unit. */
export interface DeviceRecord extends JsonObject {
  readonly serial?: string | null
}

/** The fields that say which physical event a record is about, in all the ways they have been written. */
export interface Stamped extends JsonObject {
  /** 8 hex digits, or the 4 bytes. */
  readonly waveform_key?: string | Uint8Array | null
  readonly _waveform_key?: string | Uint8Array | null
  /** ISO 8601, or an object that has it as `iso` or `string`. */
  readonly timestamp?: string | { readonly iso?: string | null; readonly string?: string | null } | null
}

/** One line of a unit's event list. */
export interface EventRecord extends Stamped {
  /** From 0. */
  readonly index: number
}

/** A recording. */
export type WaveformRecord = Stamped

/** Battery, memory, and whether the unit waits for blasts. */
export type StatusRecord = JsonObject
