// How messages travel: four bytes of length, big endian, then that many bytes of UTF-8 JSON. What arrives is foreign:
// no length is believed before the bytes are there, and a stream that went wrong once is never read on.

import { UnitError } from './client.ts'

/** The largest frame either side sends or takes. A page of event headers is 4 KB, a chunk of samples 5 KB. */
export const MAX_FRAME_BYTES: number = 256 * 1024

const HEAD_BYTES = 4
const FIRST_BODY_BYTES = 4 * 1024
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The bytes of one message. Throws `unit-protocol` for a message over {@link MAX_FRAME_BYTES}. */
export function encodeFrame(message: unknown): Buffer {
  const json = JSON.stringify(message)
  const bodyBytes = Buffer.byteLength(json)
  if (bodyBytes > MAX_FRAME_BYTES) throw oversize(bodyBytes)
  const frame = Buffer.allocUnsafe(HEAD_BYTES + bodyBytes)
  frame.writeUInt32BE(bodyBytes)
  frame.write(json, HEAD_BYTES)
  return frame
}

/**
 * Turns a stream of bytes, however it was cut, into messages. It holds at most one frame, and grows with the bytes that
 * came, not with the length that was announced. Throws `unit-protocol` at the first frame that is oversize, empty, no
 * UTF-8 or no JSON, after it has yielded the messages before it; then again for ever.
 */
export class FrameDecoder {
  readonly #head = Buffer.alloc(HEAD_BYTES)
  #headBytes = 0
  /** The announced length, once the head is whole. */
  #length: number | undefined
  #body = Buffer.alloc(0)
  #bodyBytes = 0
  #failure: UnitError | undefined;

  /** The messages that are whole with these bytes. Consume them all before the next call. */
  *decode(bytes: Uint8Array): Generator<unknown, void, void> {
    let at = 0
    while (at < bytes.byteLength || this.#failure) {
      if (this.#failure) throw this.#failure
      at += this.#length === undefined ? this.#takeHead(bytes, at) : this.#takeBody(bytes, at, this.#length)
      if (this.#length !== undefined && this.#bodyBytes === this.#length) yield this.#message()
    }
  }

  #takeHead(bytes: Uint8Array, at: number): number {
    const taken = Math.min(HEAD_BYTES - this.#headBytes, bytes.byteLength - at)
    this.#head.set(bytes.subarray(at, at + taken), this.#headBytes)
    this.#headBytes += taken
    if (this.#headBytes === HEAD_BYTES) {
      const length = this.#head.readUInt32BE()
      if (length > MAX_FRAME_BYTES) throw this.#fail(oversize(length))
      if (length === 0) throw this.#fail(new UnitError('unit-protocol', 'expected a frame of JSON, got an empty one'))
      this.#length = length
    }
    return taken
  }

  #takeBody(bytes: Uint8Array, at: number, length: number): number {
    const taken = Math.min(length - this.#bodyBytes, bytes.byteLength - at)
    const neededBytes = this.#bodyBytes + taken
    if (this.#body.byteLength < neededBytes) {
      const grown = Buffer.allocUnsafe(Math.min(length, Math.max(FIRST_BODY_BYTES, neededBytes * 2)))
      this.#body.copy(grown, 0, 0, this.#bodyBytes)
      this.#body = grown
    }
    this.#body.set(bytes.subarray(at, at + taken), this.#bodyBytes)
    this.#bodyBytes = neededBytes
    return taken
  }

  #message(): unknown {
    const body = this.#body.subarray(0, this.#bodyBytes)
    this.#headBytes = 0
    this.#bodyBytes = 0
    this.#length = undefined
    try {
      return JSON.parse(utf8.decode(body)) as unknown
    } catch (cause) {
      const what = cause instanceof TypeError ? 'UTF-8' : 'JSON'
      throw this.#fail(
        new UnitError('unit-protocol', `expected a frame of JSON, got ${body.byteLength} bytes that are no ${what}`, {
          cause,
        }),
      )
    }
  }

  #fail(failure: UnitError): UnitError {
    this.#failure = failure
    this.#body = Buffer.alloc(0)
    return failure
  }
}

function oversize(length: number): UnitError {
  return new UnitError(
    'unit-protocol',
    `expected a frame of at most ${MAX_FRAME_BYTES} bytes, got one of ${length} bytes`,
  )
}
