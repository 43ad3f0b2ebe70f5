import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UnitError } from '../../src/unit/client.ts'
import { FrameDecoder, MAX_FRAME_BYTES, encodeFrame } from '../../src/unit/wire.ts'

/** Everything a decoder yields for a stream that arrives in these pieces, and the error that ended it. */
function decode(pieces: readonly Uint8Array[]): { messages: unknown[]; error?: UnitError } {
  const decoder = new FrameDecoder()
  const messages: unknown[] = []
  try {
    for (const piece of pieces) for (const message of decoder.decode(piece)) messages.push(message)
    return { messages }
  } catch (error) {
    expect(error).toBeInstanceOf(UnitError)
    return { messages, error: error as UnitError }
  }
}

/** The stream cut at any places. */
function cut(stream: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (stream.byteLength + 1)), stream.byteLength].toSorted((a, b) => a - b)
  return at.slice(1).map((end, i) => stream.subarray(at[i], end))
}

/** As it looks after a way through JSON, which knows no -0. */
const message = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)

function framed(body: Uint8Array): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.byteLength)
  return Buffer.concat([head, body])
}

describe('frames', () => {
  it('come out as they went in, however the stream was cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 20 }), (sent, places) => {
        const stream = Buffer.concat(sent.map((it) => encodeFrame(it)))
        expect(decode(cut(stream, places))).toEqual({ messages: sent })
      }),
      { numRuns: 300 },
    )
  })

  it('come out byte by byte', () => {
    const sent = [{ id: 1, text: 'Böschung 爆破 \u{1f4a5}' }, [], null, 'x'.repeat(5000)]
    const stream = Buffer.concat(sent.map((it) => encodeFrame(it)))
    expect(decode(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual({ messages: sent })
  })

  it('may be as large as the limit, and no larger', () => {
    const largest = 'x'.repeat(MAX_FRAME_BYTES - 2)
    expect(decode([encodeFrame(largest)]).messages).toEqual([largest])
    expect(() => encodeFrame(`${largest}x`)).toThrow(/at most 262144 bytes, got one of 262145/)
  })

  it('are not read on after garbage; what came before it is kept', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 3 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        (sent, garbage, places) => {
          const whole = Buffer.concat([...sent.map((it) => encodeFrame(it)), garbage])
          const { messages, error } = decode(cut(whole, places))
          expect(messages.slice(0, sent.length)).toEqual(sent)
          if (error) expect(error.code).toBe('unit-protocol')
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('a frame is refused', () => {
  it.each([
    [
      'that announces four gigabytes',
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
      /at most 262144 bytes, got one of 4294967295/,
    ],
    ['that is one byte too long', Buffer.from([0, 4, 0, 1]), /got one of 262145 bytes/],
    ['that is empty', Buffer.from([0, 0, 0, 0]), /got an empty one/],
    ['that is no JSON', framed(Buffer.from('{"id": oops}')), /12 bytes that are no JSON/],
    ['that ends in the middle of JSON', framed(Buffer.from('{"id"')), /5 bytes that are no JSON/],
    ['that is no UTF-8', framed(Buffer.from([0x22, 0xc3, 0x28, 0x22])), /4 bytes that are no UTF-8/],
    ['that starts with a byte order mark', framed(Buffer.from('\ufeff{}')), /5 bytes that are no JSON/],
  ])('%s', (_, bytes, message) => {
    const decoder = new FrameDecoder()
    expect(() => [...decoder.decode(bytes)]).toThrow(message)
    // The same for ever: nothing after it can be believed.
    expect(() => [...decoder.decode(encodeFrame({ fine: true }))]).toThrow(message)
  })

  it('nested as deep as a frame allows is an answer or an error, never a crash', () => {
    const deep = framed(Buffer.from('['.repeat(MAX_FRAME_BYTES)))
    expect(decode([deep]).error?.message).toMatch(/no JSON/)
  })

  it('takes no memory for bytes that were only announced', () => {
    const before = process.memoryUsage().arrayBuffers
    const decoders = Array.from({ length: 2000 }, () => new FrameDecoder())
    for (const decoder of decoders)
      for (const _ of decoder.decode(Buffer.from([0, 4, 0, 0, 0x7b]))) expect.unreachable()
    // 2000 announcements of 256 KB are 512 MB; five bytes of each came.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
    expect(decoders).toHaveLength(2000)
  })
})
