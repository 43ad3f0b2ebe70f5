// A recording as a stream of frames, which is what an event file is made of and kept with. As in the streams of the units:
// the first frame begins with the STRT record; a later one that holds `STRT` is an echo of it and says nothing; one with page
// 0 ends the stream. Behind STRT the first frame says, as JSON, with what settings was recorded; the others hold the samples
// of the four channels in turn (int16, big endian), as they come over the line.

import { CHANNELS, type ChannelName } from '../unit/client.ts'
import { EventFileError } from './error.ts'
import { secondsOf } from './local-time.ts'
import { SAMPLES_MAX, lengthOf, type EventRecording, type Samples } from './recording.ts'
import { STRT_BYTES, encodeStrt, startKeyOf } from './strt.ts'

/** One frame of a stream. */
export interface SourceFrame {
  /** From 1; 0 ends the stream. */
  readonly page: number
  readonly data: Uint8Array
}

/** The version of what {@link writeFrames} writes. */
export const FRAMES_VERSION = 1

const ECHO = Buffer.from('STRT')
const DATA_BYTES = 1024
const PAGE_MAX = 0xffff
const SAMPLE_BYTES = CHANNELS.length * 2

/** The stream of a recording. Throws `event-file-recording` for what is none. */
export function framesOf(recording: EventRecording): SourceFrame[] {
  const { waveformKey, time, sampleRate, pretriggerSeconds, scale, samples } = recording
  const length = lengthOf(samples)
  const said = { waveformKey, time, sampleRate, pretriggerSeconds, scale, samples: length }
  const first = Buffer.concat([
    encodeStrt({ startKey: startKeyOf(waveformKey), bodyBytes: length * SAMPLE_BYTES }),
    Buffer.from(JSON.stringify(said)),
  ])
  const pieces = [first, ...cut(interleaved(samples, length))]
  return [...pieces.map((data, i) => ({ page: 1 + (i % PAGE_MAX), data })), { page: 0, data: new Uint8Array() }]
}

/** The recording of a stream. Throws `event-file-frames` for one that is not whole. */
export function recordingOf(frames: readonly SourceFrame[]): EventRecording {
  const [first, ...rest] = frames
  if (!first || !isEcho(first.data) || !Buffer.from(first.data).subarray(0, 4).equals(ECHO))
    throw wrong('the first frame does not begin with STRT')
  const end = rest.findIndex(({ page }) => page === 0)
  const data = (end === -1 ? rest : rest.slice(0, end))
    .filter((frame) => !isEcho(frame.data))
    .map((frame) => frame.data)
  const { length, ...said } = settingsOf(first.data.subarray(STRT_BYTES))
  const bytes = Buffer.concat(data)
  if (bytes.byteLength !== length * SAMPLE_BYTES)
    throw wrong(`${length} samples a channel are announced, ${bytes.byteLength / SAMPLE_BYTES} came`)
  return { ...said, samples: channelsOf(bytes, length) }
}

/** Frames as bytes: their number, then page, length and data of each. */
export function writeFrames(frames: readonly SourceFrame[]): Uint8Array {
  const size = frames.reduce((sum, { data }) => sum + 6 + data.byteLength, 4)
  const bytes = Buffer.allocUnsafe(size)
  let at = bytes.writeUInt32BE(frames.length)
  for (const { page, data } of frames) {
    at = bytes.writeUInt16BE(page, at)
    at = bytes.writeUInt32BE(data.byteLength, at)
    bytes.set(data, at)
    at += data.byteLength
  }
  return bytes
}

/** The inverse of {@link writeFrames}. Throws `event-file-frames`. */
export function readFrames(bytes: Uint8Array): SourceFrame[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frames: SourceFrame[] = []
  if (view.byteLength < 4) throw wrong('they are cut')
  const count = view.readUInt32BE()
  let at = 4
  while (at < view.byteLength) {
    if (at + 6 > view.byteLength) throw wrong('they are cut')
    const length = view.readUInt32BE(at + 2)
    const data = view.subarray(at + 6, at + 6 + length)
    if (data.byteLength < length) throw wrong('they are cut')
    frames.push({ page: view.readUInt16BE(at), data })
    at += 6 + length
  }
  if (frames.length !== count) throw wrong(`${count} are announced, ${frames.length} are there`)
  return frames
}

interface Settings extends Omit<EventRecording, 'samples'> {
  readonly length: number
}

function settingsOf(bytes: Uint8Array): Settings {
  let said: unknown
  try {
    said = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw wrong('the first frame does not say with what settings was recorded')
  }
  const { waveformKey, time, sampleRate, pretriggerSeconds, scale, samples } = (said ?? {}) as Record<string, unknown>
  const scales = (scale ?? {}) as Record<ChannelName, unknown>
  const isSaid =
    typeof waveformKey === 'string' &&
    /^[0-9a-f]{8}$/i.test(waveformKey) &&
    typeof time === 'string' &&
    secondsOf(time) !== undefined &&
    isPositive(sampleRate) &&
    (pretriggerSeconds === 0 || isPositive(pretriggerSeconds)) &&
    CHANNELS.every((channel) => isPositive(scales[channel])) &&
    Number.isInteger(samples) &&
    (samples as number) >= 1 &&
    (samples as number) <= SAMPLES_MAX
  if (!isSaid) throw wrong('the settings in the first frame do not fit')
  return { waveformKey, time, sampleRate, pretriggerSeconds, scale: scales, length: samples } as Settings
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

function isEcho(data: Uint8Array): boolean {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).includes(ECHO)
}

/** Cuts so that no piece holds `STRT`: samples can look like it, and would be skipped as an echo. */
function cut(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.byteLength;) {
    const piece = bytes.subarray(at, at + DATA_BYTES)
    const found = piece.indexOf(ECHO)
    const length = found === -1 ? piece.byteLength : found + 2
    pieces.push(piece.subarray(0, length))
    at += length
  }
  return pieces
}

function interleaved(samples: Samples, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length * SAMPLE_BYTES)
  for (const [c, channel] of CHANNELS.entries()) {
    const values = samples[channel]
    for (let i = 0; i < length; i++) bytes.writeInt16BE(values[i] as number, i * SAMPLE_BYTES + c * 2)
  }
  return bytes
}

function channelsOf(bytes: Buffer, length: number): Samples {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const channel = (c: number): Int16Array => {
    const values = new Int16Array(length)
    for (let i = 0; i < length; i++) values[i] = view.getInt16(i * SAMPLE_BYTES + c * 2)
    return values
  }
  return { tran: channel(0), vert: channel(1), long: channel(2), micL: channel(3) }
}

function wrong(why: string): EventFileError {
  return new EventFileError('event-file-frames', `These are not the frames of one whole recording: ${why}.`)
}
