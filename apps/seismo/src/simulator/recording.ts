import { blast, PRETRIGGER_SECONDS } from './blast.ts'
import { SCALE } from './channels.ts'
import { histogram, INTERVALS_PER_SECOND } from './histogram.ts'
import { peaksOf } from '../unit/peaks.ts'
import { CHANNELS, type ComplianceConfig, type EventHeader, type Waveform } from '../unit/client.ts'
import type { Random } from './random.ts'

/** What a recording is of. */
export type RecordType = EventHeader['recordType']

/** An event in a unit's memory: all of its header but the index, all of its waveform, and what it takes of the flash. */
export type Recording = Omit<EventHeader, 'index'> &
  Omit<Waveform, 'index'> & {
    readonly waveformKey: string
    readonly timestamp: string
    readonly sampleCount: number
    readonly bytes: number
  }

/** What a recording takes beside its samples. */
const HEADER_BYTES = 512

/** Makes a recording with the unit's settings; key and timestamp are the unit's to give. */
export function record(
  random: Random,
  config: ComplianceConfig,
  recordType: RecordType,
): Omit<Recording, 'waveformKey' | 'timestamp'> {
  const isWaveform = recordType === 'waveform'
  const samples = isWaveform ? blast(random, config) : histogram(random)
  const sampleCount = samples.tran.length
  const { project, client, operator, location } = config
  return {
    recordType,
    samples,
    sampleCount,
    scale: SCALE,
    peaks: peaksOf({ samples, scale: SCALE }),
    sampleRate: isWaveform ? config.sampleRate : INTERVALS_PER_SECOND,
    pretriggerSeconds: isWaveform ? PRETRIGGER_SECONDS : 0,
    project: { project, client, operator, location },
    bytes: HEADER_BYTES + sampleCount * CHANNELS.length * 2,
  }
}
