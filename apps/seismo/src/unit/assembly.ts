// Puts the pieces of an answer together. Every count is compared with what really came, and nothing is allocated on a
// promise: a unit that sends nonsense for ever runs into a bound, not into our memory.

import { CHANNELS } from './client.ts'
import { MAX_PIECE_SAMPLES, MAX_SAMPLES, eventCount, eventHeader, waveformPiece, waveformResult } from './messages.ts'
import { list, mismatch } from './shape.ts'
import type { ChannelName, EventHeader, Waveform } from './client.ts'
import type { Check } from './shape.ts'

/** An answer that is growing. Both methods throw `unit-protocol` for what does not fit. */
export interface Assembly<T> {
  piece(piece: unknown, done: number, total: number): void
  /** The whole answer, closed by `result`. */
  finish(result: unknown): T
}

/** An answer of one frame. */
export class Single<T> implements Assembly<T> {
  readonly #check: Check<T>

  constructor(check: Check<T>) {
    this.#check = check
  }

  piece(): never {
    throw mismatch('answer', 'a result', { piece: true })
  }

  finish(result: unknown): T {
    return this.#check(result, 'result')
  }
}

/** The headers `from` … `to - 1`, in order. The result is how many were sent. */
export class Headers implements Assembly<EventHeader[]> {
  readonly #from: number
  readonly #count: number
  readonly #headers: EventHeader[] = []

  constructor(from: number, to: number) {
    this.#from = from
    this.#count = to - from
  }

  piece(piece: unknown, done: number, total: number): void {
    if (total !== this.#count) throw mismatch('answer.total', `${this.#count}, the headers asked for`, total)
    const headers = list(eventHeader, this.#count - this.#headers.length)(piece, 'piece')
    if (headers.length === 0) throw mismatch('piece', 'at least one header', piece)
    for (const header of headers) {
      const index = this.#from + this.#headers.length
      if (header.index !== index) throw mismatch('piece.index', `${index}, the next in turn`, header.index)
      this.#headers.push(header)
    }
    if (done !== this.#headers.length) throw mismatch('answer.done', `${this.#headers.length} headers`, done)
  }

  finish(result: unknown): EventHeader[] {
    const sent = eventCount(result, 'result')
    if (sent !== this.#count) throw mismatch('result', `${this.#count}, the headers asked for`, sent)
    if (this.#headers.length !== sent) throw mismatch('answer', `${sent} headers`, this.#headers.length)
    return this.#headers
  }
}

const BYTES_PER_SAMPLE = CHANNELS.length * 2

/** The samples of one event; a piece is a run of samples of the four channels in turn. */
export class Samples implements Assembly<Waveform> {
  readonly #index: number
  readonly #pieces: Buffer[] = []
  #sampleCount = 0
  #total: number | undefined

  constructor(index: number) {
    this.#index = index
  }

  piece(piece: unknown, done: number, total: number): void {
    this.#total ??= total
    if (total !== this.#total) throw mismatch('answer.total', `${this.#total}, as in the first piece`, total)
    if (done !== this.#pieces.length + 1) throw mismatch('answer.done', `${this.#pieces.length + 1}`, done)
    const { from, samples } = waveformPiece(piece, 'piece')
    if (from !== this.#sampleCount) throw mismatch('piece.from', `${this.#sampleCount}, the next in turn`, from)
    const bytes = base64(samples)
    this.#sampleCount += bytes.byteLength / BYTES_PER_SAMPLE
    if (this.#sampleCount > MAX_SAMPLES) throw mismatch('answer', `at most ${MAX_SAMPLES} samples`, this.#sampleCount)
    this.#pieces.push(bytes)
  }

  finish(result: unknown): Waveform {
    const { sampleCount, ...described } = waveformResult(result, 'result')
    if (described.index !== this.#index) throw mismatch('result.index', `${this.#index}, as asked for`, described.index)
    if (this.#pieces.length !== this.#total) throw mismatch('answer', `${this.#total} pieces`, this.#pieces.length)
    if (sampleCount !== this.#sampleCount)
      throw mismatch('result.sampleCount', `${this.#sampleCount}, the samples sent`, sampleCount)
    return { ...described, samples: channels(this.#pieces, sampleCount) }
  }
}

function base64(samples: string): Buffer {
  // Node's own decoder skips what it does not know; a damaged chunk would read as a shorter one.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(samples) || samples.length % 4 !== 0)
    throw mismatch('piece.samples', 'base64', samples)
  const bytes = Buffer.from(samples, 'base64')
  const isWhole = bytes.byteLength % BYTES_PER_SAMPLE === 0
  if (isWhole && bytes.byteLength <= MAX_PIECE_SAMPLES * BYTES_PER_SAMPLE) return bytes
  throw mismatch('piece.samples', `at most ${MAX_PIECE_SAMPLES} samples of ${CHANNELS.length} channels`, samples)
}

function channels(pieces: readonly Buffer[], sampleCount: number): Record<ChannelName, Int16Array> {
  const [tran, vert, long, micL] = CHANNELS.map(() => new Int16Array(sampleCount)) as [
    Int16Array,
    Int16Array,
    Int16Array,
    Int16Array,
  ]
  let i = 0
  for (const piece of pieces) {
    for (let at = 0; at < piece.byteLength; at += BYTES_PER_SAMPLE, i++) {
      tran[i] = piece.readInt16BE(at)
      vert[i] = piece.readInt16BE(at + 2)
      long[i] = piece.readInt16BE(at + 4)
      micL[i] = piece.readInt16BE(at + 6)
    }
  }
  return { tran, vert, long, micL }
}
