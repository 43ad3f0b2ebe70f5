import type { ArtifactInfo, Artifacts, SavedArtifact } from 'tidemark'
import type { DeviceCache } from '../cache/device-cache.ts'
import type { JsonObject, WaveformRecord } from '../cache/record.ts'
import { stampOf } from '../cache/stamp.ts'
import { EventFileError } from './error.ts'
import { ENCODER_VERSION, encodeEventFile } from './file.ts'
import { FRAMES_VERSION, framesOf, readFrames, recordingOf, writeFrames, type SourceFrame } from './frames.ts'
import { metadataOf, recordingIn, type FiledEvent } from './metadata.ts'
import { eventFileName } from './name.ts'
import type { EventRecording } from './recording.ts'

/** Options of {@link EventFiles}. */
export interface EventFilesOptions {
  /** The folder of all files; one folder a serial is made in it. */
  readonly root: string
  /** The encoder's version. Defaults to the present one. */
  readonly encoderVersion?: number | undefined
  /** Where recordings are encoded. Defaults to {@link encodeEventFile}, on the event loop. */
  readonly encode?:
    | ((recording: EventRecording, encoderVersion: number) => Uint8Array | Promise<Uint8Array>)
    | undefined
}

/**
 * The event files of the gateway: every waveform that is downloaded is kept as a file, once, under the serial of its unit.
 * What is cleared from the cache stays here.
 */
export class EventFiles {
  readonly store: Artifacts<FiledEvent, SourceFrame>
  readonly #cache: DeviceCache
  /** Units whose serial was asked for in this life of their memory: another unit may have taken the place of one. */
  readonly #known = new Set<string>()

  constructor(
    cache: DeviceCache,
    { root, encoderVersion = ENCODER_VERSION, encode = encodeEventFile }: EventFilesOptions,
  ) {
    this.#cache = cache
    this.store = cache.tide.artifacts<FiledEvent, SourceFrame>({
      name: 'event-files',
      root,
      folder: ({ serial }) => serial,
      // Files that a gateway fetches by itself are named like those that units send by themselves.
      filename: ({ serial, recording: { time } }) => eventFileName({ serial, time, kind: 'waveform' }),
      time: ({ recording: { time } }) => time,
      identity: ({ recording: { waveformKey, time } }) => [waveformKey.toLowerCase(), time],
      metadata: metadataOf,
      encode: (frames) => encode(recordingOf(frames), encoderVersion),
      encoderVersion,
      source: { version: FRAMES_VERSION, encode: writeFrames, decode: readFrames },
      tool: `seismo event file encoder ${encoderVersion}`,
    })
    cache.tide.on('event', (event) => {
      if (event.type === 'era' && event.era === cache.deviceMemory.name) this.#known.delete(event.scope)
    })
  }

  /** True when a waveform has its file, or no file can be made of it, as far as can be told without asking its unit. */
  async has(unit: string, record: WaveformRecord): Promise<boolean> {
    const recording = recordingIn(record)
    if (!recording) return true
    const serial = (await this.#cache.lastKnownInfo(unit))?.serial
    return typeof serial === 'string' && (await this.#sidecarOf(serial, recording)) !== undefined
  }

  /**
   * Keeps a waveform as a file; one that is kept already stays as it is. `undefined` for what no file can be made of. Asks the
   * unit for its serial where it is not certain. `isCached`: it was not downloaded just now, so that another unit may answer
   * by now. Errors: those of `Artifacts.save`, of the unit, and `EventFileError` for a serial or a time that no name can say.
   */
  async keep(
    unit: string,
    index: number,
    record: WaveformRecord,
    { isCached = false }: { readonly isCached?: boolean } = {},
  ): Promise<SavedArtifact | undefined> {
    const recording = recordingIn(record)
    if (!recording) return undefined
    const before = isCached ? (await this.#cache.lastKnownInfo(unit))?.serial : undefined
    const event = await this.#cache.getEvent(unit, index)
    const isOfEvent = event !== undefined && sameStamp(stampOf(event), stampOf(record))
    const serial = await this.#serialOf(unit, isOfEvent)
    if (before && before !== serial) {
      const message = `Event ${index} of ${unit} was recorded by ${before} or by ${serial}, which answers now: it is not filed.`
      throw new EventFileError('event-file-unit', message)
    }
    const said = isOfEvent && isProject(event['project']) ? event['project'] : undefined
    const project = said ?? (await this.#knownProject(serial, recording))
    return this.store.save({ serial, recording, project }, framesOf(recording))
  }

  /** What the sidecar says already: a later download that knows less does not unlearn it. */
  async #knownProject(serial: string, recording: EventRecording): Promise<JsonObject | undefined> {
    const project = (await this.#sidecarOf(serial, recording))?.metadata['project']
    return isProject(project) ? project : undefined
  }

  /** What is known of the file of this very recording, if there is one that can be read. */
  async #sidecarOf(serial: string, { time, waveformKey }: EventRecording): Promise<ArtifactInfo | undefined> {
    const info = await this.store.info(serial, eventFileName({ serial, time, kind: 'waveform' })).catch(() => undefined)
    return info?.metadata['waveform_key'] === waveformKey ? info : undefined
  }

  /** A wrong serial would file a recording under another unit: what is not certain is asked for. */
  async #serialOf(unit: string, isOfKnownLife: boolean): Promise<string> {
    const known = await this.#cache.lastKnownInfo(unit)
    if (known?.serial && isOfKnownLife && this.#known.has(unit)) return known.serial
    const { serial } = await this.#cache.info.get(unit, { refresh: true })
    if (!serial) throw new EventFileError('event-file-name', `${unit} does not say its serial.`)
    this.#known.add(unit)
    return serial
  }
}

function isProject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null
}

function sameStamp(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.every((part, i) => part !== undefined && part === b[i])
}
