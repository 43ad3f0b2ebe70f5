// The last 26 bytes of an event file. What the vendor keeps there is not publicly known; this is our own:
//
//   0  u16 version of the encoder        14  u32 samples a channel
//   2  u32 time of the event             18  u16 ADC counts per unit of the body: 16, or 1
//   6  u32 time of its end               20  u8  range of the geophones: 0 for 10 in/s, 1 for 1.25 in/s, 255 for another
//  10  u16 samples per second            21  u8  0
//  12  u16 samples before the trigger    22  u32 CRC-32 of everything before
//
// All big endian; times are seconds since 1985-01-01T00:00:00 by the unit's own clock.

import { crc32 } from 'node:zlib'

/** What a footer says. */
export interface Footer {
  readonly encoderVersion: number
  /** Seconds since 1985, of the unit's own clock. */
  readonly time: number
  readonly endTime: number
  readonly sampleRate: number
  readonly pretriggerSamples: number
  readonly samples: number
  readonly countsPerUnit: number
  /** Full range of the geophones, in/s; `undefined` for another than the two that are known. */
  readonly geophoneRange: number | undefined
}

/** Bytes of the footer. */
export const FOOTER_BYTES = 26

const RANGES = [10, 1.25] as const
const OTHER_RANGE = 255
const CRC_AT = FOOTER_BYTES - 4

/** The bytes of a footer behind everything before it. */
export function encodeFooter(footer: Footer, before: Uint8Array): Buffer {
  const bytes = Buffer.alloc(FOOTER_BYTES)
  bytes.writeUInt16BE(footer.encoderVersion, 0)
  bytes.writeUInt32BE(footer.time, 2)
  bytes.writeUInt32BE(footer.endTime, 6)
  bytes.writeUInt16BE(footer.sampleRate, 10)
  bytes.writeUInt16BE(footer.pretriggerSamples, 12)
  bytes.writeUInt32BE(footer.samples, 14)
  bytes.writeUInt16BE(footer.countsPerUnit, 18)
  const range = RANGES.findIndex((it) => it === footer.geophoneRange)
  bytes.writeUInt8(range === -1 ? OTHER_RANGE : range, 20)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, CRC_AT), crc32(before)), CRC_AT)
  return bytes
}

/** What a file ends with; `undefined` when its checksum does not fit. */
export function decodeFooter(file: Uint8Array): Footer | undefined {
  const view = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const bytes = view.subarray(-FOOTER_BYTES)
  if (bytes.byteLength < FOOTER_BYTES || crc32(view.subarray(0, -4)) !== bytes.readUInt32BE(CRC_AT)) return undefined
  return {
    encoderVersion: bytes.readUInt16BE(0),
    time: bytes.readUInt32BE(2),
    endTime: bytes.readUInt32BE(6),
    sampleRate: bytes.readUInt16BE(10),
    pretriggerSamples: bytes.readUInt16BE(12),
    samples: bytes.readUInt32BE(14),
    countsPerUnit: bytes.readUInt16BE(18),
    geophoneRange: RANGES[bytes.readUInt8(20)],
  }
}
