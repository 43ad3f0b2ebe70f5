import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEventFile, decibelOf, encodeEventFile, scaleOf } from '../../src/event-file/file.ts'
import { framesOf, readFrames, recordingOf, writeFrames, type SourceFrame } from '../../src/event-file/frames.ts'
import { CHANNELS } from '../../src/unit/client.ts'
import { anyRecording, recordingWith } from './recordings.ts'

const samples = {
  tran: Int16Array.of(0, 16, 32, 16, -16),
  vert: Int16Array.of(0, 4000, -4000, 320, 0),
  long: Int16Array.of(0, 0, 0, 0, 0),
  micL: Int16Array.of(16, 16, 16, 16, 16),
}
const RECORDING = recordingWith(samples)
const FILE = encodeEventFile(RECORDING)

/** The same file with its checksum made to fit again. */
function resealed(bytes: Uint8Array): Buffer {
  const file = Buffer.from(bytes)
  file.writeUInt32BE(crc32(file.subarray(0, -4)), file.byteLength - 4)
  return file
}

describe('the layout of a file', () => {
  it('has the published header, STRT and end pointer, and our footer', () => {
    const file = Buffer.from(FILE)
    expect(file.subarray(0, 22).toString('hex')).toBe('100001800000496e7374616e74656c00072c00120300')
    expect(file.subarray(22, 26).toString()).toBe('STRT')
    expect(file.readUInt32BE(22 + 10).toString(16)).toBe('1110000')
    // A device address lies at 22 + its distance to the start of the event: the footer where the event ends.
    const end = 22 + file.readUInt32BE(22 + 6) - file.readUInt32BE(22 + 10)
    expect(file.byteLength - end).toBe(26)
    expect(file.readUInt8(22 + 18)).toBe(0x46)
    expect(file.subarray(43, 46).toString('hex')).toBe('000200')
    expect(file.readUInt16BE(end)).toBe(1)
    expect(file.readUInt32BE(end + 22)).toBe(crc32(file.subarray(0, -4)))
  })

  it('counts of whole steps of 16 are written in steps; others as they are', () => {
    expect(decodeEventFile(FILE).footer.countsPerUnit).toBe(16)
    expect(Buffer.from(FILE).readInt16BE(22 + 21 + 5), 'the second sample of Tran').toBe(1)
    const odd = encodeEventFile(recordingWith({ ...samples, micL: Int16Array.of(1, 2, 3, 4, 5) }))
    expect(decodeEventFile(odd).footer.countsPerUnit).toBe(1)
    expect([...decodeEventFile(odd).samples.micL]).toEqual([1, 2, 3, 4, 5])
  })

  it('says time, rate, pretrigger and range', () => {
    const { footer, time, strt } = decodeEventFile(FILE)
    expect({ ...footer, time, key: strt.startKey, mode: strt.mode }).toEqual({
      encoderVersion: 1,
      time: '2026-05-01T13:16:34',
      endTime: footer.time,
      sampleRate: 1024,
      pretriggerSamples: 256,
      samples: 5,
      countsPerUnit: 16,
      geophoneRange: 10,
      key: 0x0111_0000,
      mode: 'single-shot',
    })
    expect(scaleOf(footer).vert).toBe(10 / 32_768)
  })

  it('is the same for the same recording, and says another encoder only in its footer', () => {
    expect(Buffer.from(encodeEventFile(RECORDING)).equals(FILE)).toBe(true)
    const next = encodeEventFile(RECORDING, 2)
    expect(Buffer.from(next).subarray(0, -26).equals(FILE.subarray(0, -26))).toBe(true)
    expect(decodeEventFile(next).footer.encoderVersion).toBe(2)
  })

  it('decode(encode(x)) = x for any recording', () => {
    fc.assert(
      fc.property(anyRecording, (recording) => {
        const read = decodeEventFile(encodeEventFile(recording))
        expect(read.samples).toEqual(recording.samples)
        expect([read.time, read.footer.sampleRate]).toEqual([recording.time, recording.sampleRate])
        expect(read.strt.startKey.toString(16).padStart(8, '0')).toBe(recording.waveformKey)
      }),
      { numRuns: 400 },
    )
  })

  it.for([
    ['channels of different lengths', { samples: { ...samples, long: new Int16Array(4) } }],
    [
      'no samples',
      { samples: { tran: new Int16Array(), vert: new Int16Array(), long: new Int16Array(), micL: new Int16Array() } },
    ],
    ['a time that is none', { time: 'now' }],
    ['a time before 1985', { time: '1984-12-31T23:59:59' }],
    ['a time that no name can say', { time: '9999-12-31T23:59:59' }],
    ['a key that is none', { waveformKey: '0111' }],
    ['a rate that is none', { sampleRate: 0 }],
    ['a rate of a fraction', { sampleRate: 0.5 }],
    ['a rate too high', { sampleRate: 100_000 }],
  ] as const)('%s is refused', ([, wrong]) => {
    expect(() => encodeEventFile({ ...RECORDING, ...wrong })).toThrow(
      expect.objectContaining({ code: 'event-file-recording' }) as Error,
    )
  })
})

describe('bytes that are no event file', () => {
  const malformed = expect.objectContaining({ code: 'event-file-malformed' }) as Error

  it('any flipped bit and any cut is found', () => {
    for (let at = 0; at < FILE.byteLength; at++) {
      expect(() => decodeEventFile(FILE.subarray(0, at))).toThrow(malformed)
      const changed = Uint8Array.from(FILE)
      changed[at] = (changed[at] as number) ^ (1 << (at % 8))
      expect(() => decodeEventFile(changed), `byte ${at}`).toThrow(malformed)
    }
  })

  it('also where the checksum was made to fit', () => {
    const wrong: readonly (readonly [number, string])[] = [
      [0, 'begin'],
      [23, 'STRT'],
      [31, 'ends somewhere else'],
      [43, 'does not begin with'],
      [FILE.byteLength - 26 + 14, 'samples a channel'],
    ]
    for (const [at, why] of wrong) {
      const changed = Uint8Array.from(FILE)
      changed[at] = (changed[at] as number) ^ 0x40
      expect(() => decodeEventFile(resealed(changed)), why).toThrow(why)
    }
  })

  it('any garbage throws that, or is read', () => {
    const head = Buffer.from(FILE).subarray(0, 50)
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.uint8Array({ maxLength: 500 }).map((bytes) => resealed(Buffer.concat([head, bytes, FILE.subarray(-26)]))),
    )
    fc.assert(
      fc.property(garbage, (bytes) => {
        try {
          decodeEventFile(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'event-file-malformed' })
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('frames', () => {
  const codes = (frames: readonly SourceFrame[]): string => {
    try {
      recordingOf(frames)
      return 'no error'
    } catch (error) {
      return (error as { code: string }).code
    }
  }

  it('any recording comes back from its frames, and its frames from their bytes', () => {
    fc.assert(
      fc.property(anyRecording, (recording) => {
        const frames = framesOf(recording)
        expect(frames.at(-1)).toEqual({ page: 0, data: new Uint8Array() })
        const read = readFrames(writeFrames(frames))
        expect(recordingOf(read)).toEqual(recording)
      }),
      { numRuns: 200 },
    )
  })

  it('echoes of the first frame are skipped, and what comes after page 0 says nothing', () => {
    const frames = framesOf(RECORDING)
    const [first, ...rest] = frames as [SourceFrame, ...SourceFrame[]]
    const echo = { page: 7, data: Buffer.concat([Buffer.of(1, 2), first.data]) }
    const noisy = [first, echo, ...rest.flatMap((frame) => (frame.page === 0 ? [frame] : [frame, echo])), ...frames]
    expect(recordingOf(noisy)).toEqual(RECORDING)
  })

  it('samples that look like STRT are no echo', () => {
    const text = Buffer.from('STRT'.repeat(600))
    const channel = Int16Array.from({ length: 600 }, (_, i) => text.readInt16BE((i * 2) % 1200))
    const recording = recordingWith({ tran: channel, vert: channel, long: channel, micL: channel })
    expect(recordingOf(framesOf(recording))).toEqual(recording)
    expect(framesOf(recording).filter(({ data }) => Buffer.from(data).includes('STRT'))).toHaveLength(1)
  })

  it('a stream that is not whole is refused', () => {
    const long = Int16Array.from({ length: 2000 }, (_, i) => i)
    const frames = framesOf(recordingWith({ tran: long, vert: long, long, micL: long }))
    const [first, ...rest] = frames as [SourceFrame, ...SourceFrame[]]
    const wrong: (readonly SourceFrame[])[] = [
      [],
      rest,
      [first],
      [first, ...rest.slice(1)],
      [first, ...rest, ...rest].filter(({ page }) => page !== 0),
      [{ page: 1, data: first.data.subarray(0, 21) }, ...rest],
      [{ page: 1, data: first.data.subarray(0, 40) }, ...rest],
      [{ page: 1, data: Buffer.concat([Buffer.of(0), first.data]) }, ...rest],
      [{ page: 1, data: Buffer.concat([first.data.subarray(0, 21), Buffer.from('null')]) }, ...rest],
      [{ page: 1, data: Buffer.concat([first.data.subarray(0, 21), Buffer.from('{"samples":1e9}')]) }, ...rest],
    ]
    expect(wrong.map(codes)).toEqual(wrong.map(() => 'event-file-frames'))
  })

  it('any bytes are frames, or are refused', () => {
    const whole = writeFrames(framesOf(RECORDING))
    for (let at = 0; at < whole.byteLength; at++) expect(() => readFrames(whole.subarray(0, at))).toThrow('frames')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readFrames(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'event-file-frames' })
        }
      }),
    )
  })
})

it('decibels of the microphone', () => {
  expect([decibelOf(0), decibelOf(16), decibelOf(-16)]).toEqual([0, 81.94, -81.94])
  expect(decibelOf(160)).toBeCloseTo(101.94, 10)
})

it('every channel of the gateway is in a file', () => {
  expect(Object.keys(decodeEventFile(FILE).samples)).toEqual([...CHANNELS])
})
