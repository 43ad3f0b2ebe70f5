// The STRT record: where an event lies in the memory of its unit. 21 bytes, of which these are known; the others are 0 here.

/** What a STRT record says. */
export interface Strt {
  /** Device address of the event: its waveform key. */
  readonly startKey: number
  /** Bytes of its body. Its end lies behind them and this record. */
  readonly bodyBytes: number
}

/** What was read of a STRT record. */
export interface ReadStrt {
  readonly startKey: number
  /** Device address of what comes after the event. */
  readonly endPointer: number
  readonly mode: 'single-shot' | 'continuous' | 'unknown'
}

/** Bytes of the record. */
export const STRT_BYTES = 21

const MAGIC = Buffer.from('STRT')
const SINGLE_SHOT = 0x46
const CONTINUOUS = 0x0e

/** The bytes of a record. */
export function encodeStrt({ startKey, bodyBytes }: Strt): Buffer {
  const bytes = Buffer.alloc(STRT_BYTES)
  MAGIC.copy(bytes)
  bytes.writeUInt32BE((startKey + STRT_BYTES + bodyBytes) >>> 0, 6)
  bytes.writeUInt32BE(startKey, 10)
  bytes.writeUInt8(SINGLE_SHOT, 18)
  return bytes
}

/** Reads a record; `undefined` where there is none. */
export function decodeStrt(bytes: Uint8Array): ReadStrt | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.byteLength < STRT_BYTES || !view.subarray(0, 4).equals(MAGIC)) return undefined
  const mode = view.readUInt8(18)
  return {
    startKey: view.readUInt32BE(10),
    endPointer: view.readUInt32BE(6),
    mode: mode === SINGLE_SHOT ? 'single-shot' : mode === CONTINUOUS ? 'continuous' : 'unknown',
  }
}

/** The device address that a waveform key of 8 hex digits is. */
export function startKeyOf(waveformKey: string): number {
  return Number.parseInt(waveformKey, 16) >>> 0
}
