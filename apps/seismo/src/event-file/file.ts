// An event file: header, STRT, body, footer. The layout is the published one, its footer is ours; that the vendor's program
// reads these files has not been tried.

import { CHANNELS, type ChannelName } from '../unit/client.ts'
import { decodeBody, encodeBody, type Channels } from './body.ts'
import { EventFileError } from './error.ts'
import { FOOTER_BYTES, decodeFooter, encodeFooter, type Footer } from './footer.ts'
import { SECONDS_MAX, formatLocal, secondsOf } from './local-time.ts'
import { SAMPLES_MAX, lengthOf, type EventRecording, type Samples } from './recording.ts'
import { STRT_BYTES, decodeStrt, encodeStrt, startKeyOf, type ReadStrt } from './strt.ts'

/** What an event file says. */
export interface ReadEventFile {
  readonly strt: ReadStrt
  readonly footer: Footer
  /** The unit's own clock. */
  readonly time: string
  /** ADC counts. */
  readonly samples: Samples
}

/** The version of what {@link encodeEventFile} writes. */
export const ENCODER_VERSION = 1

/** Where the event begins in its file: a device address lies this far behind its distance to the start of the event. */
export const EVENT_OFFSET = 22

const HEADER: Buffer = Buffer.concat([
  Buffer.of(0x10, 0x00, 0x01, 0x80, 0x00, 0x00),
  Buffer.from('Instantel\0'),
  Buffer.of(0x07, 0x2c),
  // A waveform. What other types are tagged with is not publicly known.
  Buffer.of(0x00, 0x12, 0x03, 0x00),
])
const BODY_OFFSET = EVENT_OFFSET + STRT_BYTES
/** A 12-bit converter, whose value stands in the upper bits of 16. */
const COUNTS_PER_UNIT = 16
const FULL_SCALE = 32_768
const U16_MAX = 0xffff

/** The file of a recording. The same recording makes the same bytes. Throws `event-file-recording`. */
export function encodeEventFile(recording: EventRecording, encoderVersion: number = ENCODER_VERSION): Uint8Array {
  const { waveformKey, time, sampleRate, pretriggerSeconds, samples, scale } = recording
  const length = lengthOf(samples)
  const seconds = secondsOf(time)
  const pretriggerSamples = Math.round(pretriggerSeconds * sampleRate)
  if (seconds === undefined || seconds < 0 || seconds > SECONDS_MAX) throw unfit(`the time '${time}'`)
  if (!/^[0-9a-f]{8}$/i.test(waveformKey)) throw unfit(`the key '${waveformKey}'`)
  if (!Number.isInteger(sampleRate) || sampleRate < 1 || sampleRate > U16_MAX || pretriggerSamples > U16_MAX)
    throw unfit(`${sampleRate} samples per second with ${pretriggerSamples} before the trigger`)
  const countsPerUnit = isWholeUnits(samples) ? COUNTS_PER_UNIT : 1
  const body = encodeBody(CHANNELS.map((channel) => inUnits(samples[channel], countsPerUnit)) as unknown as Channels)
  const before = Buffer.concat([
    HEADER,
    encodeStrt({ startKey: startKeyOf(waveformKey), bodyBytes: body.byteLength }),
    body,
  ])
  const isOneRange = scale.tran === scale.vert && scale.tran === scale.long
  const geophoneRange = isOneRange ? scale.tran * FULL_SCALE : undefined
  const endTime = seconds + Math.max(0, Math.floor((length - pretriggerSamples) / sampleRate))
  const footer = {
    encoderVersion,
    time: seconds,
    endTime,
    sampleRate,
    pretriggerSamples,
    samples: length,
    countsPerUnit,
    geophoneRange,
  }
  return Buffer.concat([before, encodeFooter(footer, before)])
}

/**
 * Reads an event file that {@link encodeEventFile} made. Bounded, whatever it is given. Throws `event-file-malformed` for what
 * is none, or is damaged.
 */
export function decodeEventFile(bytes: Uint8Array): ReadEventFile {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.byteLength < BODY_OFFSET + FOOTER_BYTES) throw malformed(`it has ${view.byteLength} bytes`)
  if (!view.subarray(0, HEADER.byteLength).equals(HEADER)) throw malformed('it does not begin like one of a waveform')
  const strt = decodeStrt(view.subarray(EVENT_OFFSET))
  if (!strt) throw malformed('it has no STRT record')
  const footer = decodeFooter(view)
  if (!footer) throw malformed('its checksum does not fit, or its footer is not ours')
  if (footer.samples > SAMPLES_MAX) throw malformed(`it says that it holds ${footer.samples} samples a channel`)
  if (strt.endPointer !== (strt.startKey + view.byteLength - FOOTER_BYTES - EVENT_OFFSET) >>> 0)
    throw malformed('it ends somewhere else than STRT says')
  const { channels, problem } = decodeBody(view.subarray(BODY_OFFSET, -FOOTER_BYTES), footer.samples)
  if (problem !== undefined) throw malformed(problem)
  const counts = (c: number): Int16Array => (channels[c] as Int16Array).map((value) => value * footer.countsPerUnit)
  return {
    strt,
    footer,
    time: formatLocal(footer.time),
    samples: { tran: counts(0), vert: counts(1), long: counts(2), micL: counts(3) },
  }
}

/** What turns a count into physical units, as far as a file says it: the microphone's is the published one. */
export function scaleOf({ geophoneRange }: Footer): Readonly<Record<ChannelName, number | undefined>> {
  const geophone = geophoneRange === undefined ? undefined : geophoneRange / FULL_SCALE
  return { tran: geophone, vert: geophone, long: geophone, micL: MICROPHONE_PSI }
}

/** One unit of the microphone is 81.94 dB: 0.25 Pa, in psi per count. */
const MICROPHONE_PSI = (10 ** (81.94 / 20) * 20e-6) / COUNTS_PER_UNIT / 6894.757

/** Sound pressure level of so many counts of the microphone, with the sign of the deflection; 0 for none. */
export function decibelOf(counts: number): number {
  const units = Math.abs(counts) / COUNTS_PER_UNIT
  return units === 0 ? 0 : Math.sign(counts) * (81.94 + 20 * Math.log10(units))
}

function isWholeUnits(samples: Samples): boolean {
  return CHANNELS.every((channel) => samples[channel].every((count) => count % COUNTS_PER_UNIT === 0))
}

function inUnits(samples: Int16Array, countsPerUnit: number): Int16Array {
  return countsPerUnit === 1 ? samples : samples.map((count) => count / countsPerUnit)
}

function unfit(what: string): EventFileError {
  return new EventFileError('event-file-recording', `An event file cannot say ${what}.`)
}

function malformed(why: string): EventFileError {
  return new EventFileError('event-file-malformed', `This is no event file that can be read: ${why}.`)
}
