// What the encoder's thread is asked for, and what it says. Nothing here needs the cache: the thread starts quickly.

import type { JsonObject, WaveformRecord } from '../cache/record.ts'
import { EventFileError, type EventFileErrorCode } from '../event-file/error.ts'
import { decodeEventFile, encodeEventFile } from '../event-file/file.ts'
import type { EventRecording } from '../event-file/recording.ts'
import { waveformBody } from './waveform-body.ts'

/** Something that takes milliseconds or more, and ends in bytes. */
export type Job =
  | { readonly make: 'body'; readonly of: WaveformRecord }
  /** `metadata`: what the sidecar of the file says. */
  | { readonly make: 'body-of-file'; readonly of: Uint8Array; readonly metadata: JsonObject }
  | { readonly make: 'event-file'; readonly of: EventRecording; readonly encoderVersion: number }

/** A job on its way to the thread. */
export interface Request {
  readonly id: number
  readonly job: Job
}

/** What became of it. */
export type Reply =
  | { readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly message: string; readonly code: EventFileErrorCode | undefined }

/** Does a job. The bytes lie in a buffer of their own. Throws an `EventFileError` for what is no recording, or no file. */
export function run(job: Job): Uint8Array<ArrayBuffer> {
  switch (job.make) {
    case 'body':
      return new TextEncoder().encode(waveformBody(job.of))
    case 'body-of-file':
      return new TextEncoder().encode(waveformBody(recordOf(job.of, job.metadata)))
    case 'event-file':
      return new Uint8Array(encodeEventFile(job.of, job.encoderVersion))
  }
}

/** The reply to a job that could not be done. */
export function failed(id: number, error: unknown): Reply {
  const code = error instanceof EventFileError ? error.code : undefined
  return { id, message: error instanceof Error ? error.message : String(error), code }
}

/** The error that a reply tells of. */
export function errorOf({ message, code }: Extract<Reply, { message: string }>): Error {
  return code === undefined ? new Error(message) : new EventFileError(code, message)
}

function recordOf(file: Uint8Array, metadata: JsonObject): WaveformRecord {
  const { samples, footer } = decodeEventFile(file)
  const { scale } = metadata['recording'] as { scale: Record<string, number> }
  const { sampleRate, pretriggerSamples } = footer
  return {
    ...metadata,
    scale,
    counts: samples,
    sample_rate: sampleRate,
    pretrigger_seconds: pretriggerSamples / sampleRate,
  }
}
