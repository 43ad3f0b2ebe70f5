import type { JsonObject } from '../cache/record.ts'
import { peaksOf } from '../unit/peaks.ts'
import { CHANNELS } from '../unit/client.ts'
import { decibelOf } from './file.ts'
import { SAMPLES_MAX, type EventRecording } from './recording.ts'

/** What an event file is of. */
export interface FiledEvent {
  readonly serial: string
  readonly recording: EventRecording
  /** Who recorded it, and where, as the unit's event list says; often filled in later than the rest. */
  readonly project: JsonObject | undefined
}

/** What the sidecar says of an event, in the words of the gateway's other answers. Peaks: in/s, psi, dB. */
export function metadataOf({ serial, recording, project }: FiledEvent): JsonObject {
  const { waveformKey, time, sampleRate, pretriggerSeconds, samples, scale } = recording
  const { tran, vert, long, micL } = peaksOf({ samples, scale })
  const length = samples.tran.length
  return {
    serial,
    waveform_key: waveformKey,
    timestamp: time,
    record_type: 'waveform',
    peaks: { tran, vert, long, mic_l: micL, mic_db: Math.abs(decibelOf(largestOf(samples.micL))) },
    project: project ?? null,
    recording: {
      sample_rate: sampleRate,
      pretrigger_seconds: pretriggerSeconds,
      record_seconds: length / sampleRate - pretriggerSeconds,
      samples_per_channel: length,
      scale: { ...scale },
    },
  }
}

/**
 * The recording in a record of the cache; `undefined` where it holds none that a file could be made of: a histogram, whose
 * layout is not publicly known, or a record of an older program.
 */
export function recordingIn(record: JsonObject): EventRecording | undefined {
  const { waveform_key: key, timestamp, record_type: type, sample_rate: rate, pretrigger_seconds: pretrigger } = record
  const { counts, scale } = record
  if (type !== 'waveform' || typeof key !== 'string' || typeof timestamp !== 'string') return undefined
  if (typeof rate !== 'number' || typeof pretrigger !== 'number' || !isChannels(counts) || !isScale(scale))
    return undefined
  const { length } = counts.tran
  if (length === 0 || length > SAMPLES_MAX || CHANNELS.some((it) => counts[it].length !== length)) return undefined
  return { waveformKey: key, time: timestamp, sampleRate: rate, pretriggerSeconds: pretrigger, samples: counts, scale }
}

function isChannels(counts: unknown): counts is EventRecording['samples'] {
  return CHANNELS.every((it) => (counts as Record<string, unknown> | null | undefined)?.[it] instanceof Int16Array)
}

function isScale(scale: unknown): scale is EventRecording['scale'] {
  return CHANNELS.every((it) => typeof (scale as Record<string, unknown> | null | undefined)?.[it] === 'number')
}

function largestOf(counts: Int16Array): number {
  let largest = 0
  for (const count of counts) largest = Math.max(largest, Math.abs(count))
  return largest
}
