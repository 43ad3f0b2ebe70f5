import { isTidemarkError } from 'tidemark'
import type { WaveformRecord } from '../cache/record.ts'
import type { DeviceSource } from '../cache/source.ts'
import { EventFileError } from './error.ts'
import type { EventFiles } from './event-files.ts'

/** What may be filed: a recording, and where it came from. */
interface Found {
  readonly unit: string
  readonly index: number
  readonly record: WaveformRecord
  readonly isCached: boolean
}

/**
 * Files waveforms: each as it comes from its unit, and, behind the read, one that lies in the cache and was never filed. A
 * file that cannot be kept is told, and tried again at the next read; it is no reason to keep a recording from whoever
 * asked for it.
 */
export class Filing {
  readonly #files: EventFiles
  readonly #onError: (error: unknown) => void
  /** Nothing is left to do for them. Records are never changed: another one is another recording. */
  readonly #settled = new WeakSet<WaveformRecord>()
  readonly #running = new Map<string, Promise<void>>()
  #isClosed = false

  constructor(files: EventFiles, onError: (error: unknown) => void) {
    this.#files = files
    this.#onError = onError
  }

  /** A waveform came from its unit. Resolves when it is filed, or cannot be. */
  downloaded(unit: string, index: number, record: WaveformRecord): Promise<void> {
    return this.#file({ unit, index, record, isCached: false })
  }

  /** A waveform was read from the cache: it is filed behind the answer if it is not yet. */
  read(unit: string, index: number, record: WaveformRecord): void {
    if (this.#isClosed || this.#settled.has(record)) return
    const key = `${unit} ${index}`
    if (this.#running.has(key)) return
    const filing = this.#file({ unit, index, record, isCached: true }).finally(() => this.#running.delete(key))
    this.#running.set(key, filing)
  }

  /** Begins nothing more; what fails from now on fails because everything closes. */
  stop(): void {
    this.#isClosed = true
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  async #file({ unit, index, record, isCached }: Found): Promise<void> {
    try {
      const isThere = isCached && (await this.#files.has(unit, record))
      if (!isThere) await this.#files.keep(unit, index, record, { isCached })
      this.#settled.add(record)
    } catch (error) {
      if (isFinal(error)) this.#settled.add(record)
      if (!this.#isClosed) this.#onError(error)
    }
  }
}

/** True for what will not be otherwise at the next read. */
function isFinal(error: unknown): boolean {
  return (
    isTidemarkError(error, 'artifact-conflict') || (error instanceof EventFileError && error.code !== 'event-file-unit')
  )
}

/** A source whose waveforms are filed as they come. */
export function filed(source: DeviceSource, filing: () => Filing | undefined): DeviceSource {
  return {
    ...source,
    waveform: async (unit, index, asking) => {
      const record = await source.waveform(unit, index, asking)
      await filing()?.downloaded(unit, index, record)
      return record
    },
  }
}
