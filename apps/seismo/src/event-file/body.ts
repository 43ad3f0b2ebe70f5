// The body of an event file: the channels in turn, a segment of about 512 samples each, as differences packed into blocks.
//
//   00 02 00, two samples of Tran (int16, big endian)                                        preamble of 7 bytes
//   blocks                                                                                   see blocks.ts
//   40 02, two differences that extend the channel before (int16), 2 bytes, length of the    segment header of 20 bytes:
//          segment (u16), its number (u32, little endian), 2 bytes, its first two samples    the next channel begins
//
// Differences are taken modulo 2^16. One that is too large for any block ends its segment: the header of the next one, which
// says two differences in 16 bits, carries it. So every recording has a body, and quiet ones have a small one.

import { CHANNELS } from '../unit/client.ts'
import { packDeltas, readBlock } from './blocks.ts'
import { SAMPLES_MAX } from './recording.ts'

/** The channels of a body, in their order. */
export type Channels = readonly [Int16Array, Int16Array, Int16Array, Int16Array]

/** What could be read of a body. */
export interface ReadBody {
  readonly channels: Channels
  /** Why it is not whole, when it is not. */
  readonly problem: string | undefined
}

const PREAMBLE = [0x00, 0x02, 0x00] as const
const SEGMENT_TAG = [0x40, 0x02] as const
const PREAMBLE_BYTES = 7
const SEGMENT_BYTES = 20
/** Two anchors, blocks, and two that the next header says. */
const SEGMENT_SAMPLES = 512
/** So many differences more may be taken to fill a group of four. */
const GROUP_REST = 3

/** A run of one channel: two anchors, what blocks hold, and the two differences that the next header says. */
interface Segment {
  readonly anchors: readonly [number, number]
  readonly blocks: readonly number[]
  readonly extension: readonly [number, number]
}

/** The bytes of a body. The channels are of one length, at least 1. */
export function encodeBody(channels: Channels): Uint8Array {
  const cut = channels.map((samples, i) => segmentsOf(samples, i === channels.length - 1))
  const rounds = Math.max(...cut.map((segments) => segments.length))
  const out: number[] = [...PREAMBLE]
  let before: Segment | undefined
  let number = 0
  for (let round = 0; round < rounds; round++) {
    for (const [i, segments] of cut.entries()) {
      const segment = segments[round] ?? restingAt((channels[i] as Int16Array).at(-1) ?? 0)
      if (before) pushHeader(out, before.extension, segment.blocks.length, ++number)
      pushInt16(out, segment.anchors[0])
      pushInt16(out, segment.anchors[1])
      for (const byte of segment.blocks) out.push(byte)
      before = segment
    }
  }
  return Uint8Array.from(out)
}

/**
 * Reads a body of so many samples a channel. Takes whatever bytes there are: it ends at the first that cannot be read and
 * says why, and never makes more than was asked for.
 */
export function decodeBody(bytes: Uint8Array, samples: number): ReadBody {
  const length = Math.max(0, Math.min(samples, SAMPLES_MAX))
  const channels = CHANNELS.map(() => new Int16Array(length)) as unknown as Channels
  const filled = [0, 0, 0, 0]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let [channel, last, at] = [0, 0, PREAMBLE_BYTES]
  const append = (value: number): void => {
    const place = filled[channel] as number
    if (place < length) (channels[channel] as Int16Array)[place] = value
    filled[channel] = place + 1
    last = value
  }
  const extend = (delta: number): void => append(((last + delta) << 16) >> 16)
  const anchor = (from: number): void => {
    append(view.getInt16(from))
    append(view.getInt16(from + 2))
  }
  if (bytes.byteLength < PREAMBLE_BYTES || PREAMBLE.some((byte, i) => bytes[i] !== byte))
    return { channels, problem: 'it does not begin with 00 02 00 and two samples' }
  anchor(PREAMBLE.length)
  let problem: string | undefined
  while (at < bytes.byteLength && filled.some((count) => count < length)) {
    if (bytes[at] === SEGMENT_TAG[0] && bytes[at + 1] === SEGMENT_TAG[1]) {
      if (at + SEGMENT_BYTES > bytes.byteLength) {
        problem = `the segment header at ${at} is cut`
        break
      }
      extend(view.getInt16(at + 2))
      extend(view.getInt16(at + 4))
      channel = (channel + 1) % CHANNELS.length
      anchor(at + SEGMENT_BYTES - 4)
      at += SEGMENT_BYTES
      continue
    }
    const block = readBlock(bytes, at)
    if (!block) {
      problem = `there is no whole block at ${at}`
      break
    }
    for (const delta of block.deltas) extend(delta)
    at += block.bytes
  }
  const least = Math.min(...filled)
  if (least < length) problem ??= `it ends after ${least} of ${length} samples`
  return { channels, problem }
}

/** Cuts a channel. Of the last channel nothing follows the last segment that could say its extension. */
function segmentsOf(samples: Int16Array, isLastChannel: boolean): Segment[] {
  const segments: Segment[] = []
  const { length } = samples
  // Beyond its end a channel stays where it is, so that groups can be filled.
  const sample = (i: number): number => samples[Math.min(i, length - 1)] as number
  const deltas = differences(samples)
  let at = 0
  while (at < length) {
    const isWholeRest = isLastChannel && length - at <= SEGMENT_SAMPLES
    const wanted = Math.max(0, Math.min(isWholeRest ? SEGMENT_SAMPLES : SEGMENT_SAMPLES - 4, length - at - 2))
    const blocks: number[] = []
    const end = at + 2 + packDeltas(deltas.subarray(at + 2, at + 2 + wanted + GROUP_REST), wanted, blocks)
    segments.push({
      anchors: [sample(at), sample(at + 1)],
      blocks,
      extension: [deltas[end] ?? 0, deltas[end + 1] ?? 0],
    })
    at = end + (isLastChannel && end >= length ? 0 : 2)
    // The extension of the very last segment is said by nobody: what it holds needs a segment more.
    if (isLastChannel && end < length && at >= length) segments.push(restingAt(sample(length - 1)))
  }
  return segments
}

/** From each sample to the one before, modulo 2^16, and as many zeros as a segment may take beyond the end. */
function differences(samples: Int16Array): Int32Array {
  const deltas = new Int32Array(samples.length + 2 + GROUP_REST)
  for (let i = 1; i < samples.length; i++)
    deltas[i] = (((samples[i] as number) - (samples[i - 1] as number)) << 16) >> 16
  return deltas
}

/** A segment of a channel that has ended. */
function restingAt(sample: number): Segment {
  return { anchors: [sample, sample], blocks: [], extension: [0, 0] }
}

function pushHeader(out: number[], extension: Segment['extension'], blockBytes: number, number: number): void {
  out.push(...SEGMENT_TAG)
  pushInt16(out, extension[0])
  pushInt16(out, extension[1])
  out.push(0, 0, (blockBytes >> 8) & 0xff, blockBytes & 0xff)
  out.push(number & 0xff, (number >> 8) & 0xff, (number >> 16) & 0xff, (number >>> 24) & 0xff, 0, 0)
}

function pushInt16(out: number[], value: number): void {
  out.push((value >> 8) & 0xff, value & 0xff)
}
