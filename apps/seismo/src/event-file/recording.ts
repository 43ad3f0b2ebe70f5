import { CHANNELS, type ChannelName } from '../unit/client.ts'
import { EventFileError } from './error.ts'

/** Four channels of equal length, in ADC counts. */
export type Samples = Readonly<Record<ChannelName, Int16Array>>

/** A recording as a unit made it: what its event file is made of. */
export interface EventRecording {
  /** 8 hex digits. */
  readonly waveformKey: string
  /** The unit's own clock, without zone. */
  readonly time: string
  /** Samples per second per channel. */
  readonly sampleRate: number
  /** Seconds recorded before the trigger. */
  readonly pretriggerSeconds: number
  readonly samples: Samples
  /** Physical units per count: in/s for the geophones, psi for the microphone. */
  readonly scale: Readonly<Record<ChannelName, number>>
}

/** Per channel: four minutes at the highest rate, as much as is taken from a unit. */
export const SAMPLES_MAX = 1_048_576

/** How many samples each channel has. Throws `event-file-recording` when they differ, or there are none or too many. */
export function lengthOf(samples: Samples): number {
  const { length } = samples.tran
  if (CHANNELS.some((channel) => samples[channel].length !== length))
    throw new EventFileError('event-file-recording', 'Expected four channels of the same length.')
  if (length === 0 || length > SAMPLES_MAX)
    throw new EventFileError('event-file-recording', `Expected 1 to ${SAMPLES_MAX} samples a channel, got ${length}.`)
  return length
}
