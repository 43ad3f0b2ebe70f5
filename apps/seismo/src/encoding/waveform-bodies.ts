import type { WaveformRecord } from '../cache/record.ts'
import type { Encoder } from './encoder.ts'

/** A body takes about four times as much as the recording it is made of. */
const BYTES_MAX = 64 * 1024 * 1024

interface Kept {
  readonly body: Promise<Uint8Array<ArrayBuffer>>
  bytes: number
}

/** Recordings as JSON, made once for each recording: the ones that were asked for last are kept. */
export class WaveformBodies {
  readonly #encoder: Encoder
  readonly #bytesMax: number
  /** In the order in which they were asked for last. Records are never changed: another one is another recording. */
  readonly #kept = new Map<WaveformRecord, Kept>()
  #bytes = 0

  /** `bytesMax`: of the bodies that are kept. Defaults to 64 MiB. */
  constructor(encoder: Encoder, bytesMax: number = BYTES_MAX) {
    this.#encoder = encoder
    this.#bytesMax = bytesMax
  }

  /** What is kept, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** The body of a recording, see `waveformBody`. Nobody may change it. Errors: those of {@link Encoder.encode}. */
  of(record: WaveformRecord): Promise<Uint8Array<ArrayBuffer>> {
    const kept = this.#kept.get(record) ?? { body: this.#make(record), bytes: 0 }
    this.#kept.delete(record)
    this.#kept.set(record, kept)
    return kept.body
  }

  async #make(record: WaveformRecord): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const body = await this.#encoder.encode({ make: 'body', of: record })
      const kept = this.#kept.get(record)
      if (kept) {
        kept.bytes = body.byteLength
        this.#bytes += body.byteLength
        this.#makeRoom()
      }
      return body
    } catch (error) {
      this.#kept.delete(record)
      throw error
    }
  }

  #makeRoom(): void {
    for (const [record, { bytes }] of this.#kept) {
      if (this.#bytes <= this.#bytesMax) return
      // One that is still being made takes no room yet.
      if (bytes === 0) continue
      this.#kept.delete(record)
      this.#bytes -= bytes
    }
  }
}
