import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBody, encodeBody, type Channels } from '../../src/event-file/body.ts'
import { anyChannels } from './recordings.ts'

const channel = (...samples: number[]): Int16Array => Int16Array.from(samples)
const flat = (length: number, value = 0): Int16Array => new Int16Array(length).fill(value)
const four = (samples: Int16Array): Channels => [samples, samples, samples, samples]
const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1 ')
const bytesOf = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

function back(channels: Channels): Channels {
  const { channels: read, problem } = decodeBody(encodeBody(channels), channels[0].length)
  expect(problem).toBeUndefined()
  return read
}

/** The tags of all blocks and segment headers in a body, by their upper half and, of those that have it, whether X is used. */
function tagsOf(body: Uint8Array): Set<string> {
  const tags = new Set<string>()
  let at = 7
  while (at < body.byteLength) {
    const [head, low] = [body[at] as number, body[at + 1] as number]
    const [tag, count] = [head & 0xf0, ((head & 0xf) << 8) | low]
    tags.add(`${tag.toString(16).padStart(2, '0')}${tag !== 0x40 && head & 0xf ? '+' : ''}`)
    if (tag === 0x40) at += 20
    else at += 2 + (tag === 0x10 ? count / 2 : tag === 0x20 ? count : tag === 0x30 ? (count / 4) * 6 : 0)
  }
  expect(at).toBe(body.byteLength)
  return tags
}

describe('the published layout', () => {
  it('is decoded as published: each kind of block, and a segment of each channel', () => {
    const body = bytesOf(
      [
        '00 02 00 0005 0006', // Tran 5, 6
        '10 04 1f 80', // + 1, -1, -8, 0
        '20 03 7f 80 01', // + 127, -128, 1
        '00 02', // twice the same
        '30 04 78 0f ff 00 01 ff', // + 0x7ff, -2048 (0x800), 1 (0x001), -1 (0xfff)
        '40 02 0003 fffd 0000 0000 01000000 0000 0001 0002', // Tran + 3, -3; Vert 1, 2
        '40 02 0000 0000 0000 0000 02000000 0000 0003 0004', // Vert twice the same; Long 3, 4
        '40 02 0000 0000 0000 0000 03000000 0000 0005 0006', // Long twice the same; MicL 5, 6
        '40 02 7fff 0001 0000 0000 04000000 0000 0064 0065', // MicL; Tran again 100, 101
      ].join(''),
    )
    const { channels } = decodeBody(body, 17)
    expect([...channels[0]].slice(0, 15)).toEqual([5, 6, 7, 6, -2, -2, 125, -3, -2, -2, -2, 2045, -3, -2, -3])
    expect([...channels[0]].slice(15)).toEqual([0, -3])
    expect([...channels[1]].slice(0, 4)).toEqual([1, 2, 2, 2])
    expect([...channels[2]].slice(0, 4)).toEqual([3, 4, 4, 4])
    expect([...channels[3]].slice(0, 4)).toEqual([5, 6, -32_763, -32_762])
    expect([...decodeBody(body, 19).channels[0]].slice(17)).toEqual([100, 101])
  })

  it('counts above 255 are written with X', () => {
    const nibbles = `11 04 ${'10'.repeat(130)}`
    const bytes = `21 01 ${'01'.repeat(257)}`
    expect(decodeBody(bytesOf(`00 02 00 0000 0000 ${nibbles}`), 262).channels[0].at(-1)).toBe(130)
    expect(decodeBody(bytesOf(`00 02 00 0000 0000 ${bytes}`), 259).channels[0].at(-1)).toBe(257)
  })

  it('is written as published', () => {
    expect(hex(encodeBody([channel(5, 6, 7, 6), flat(4, 1), flat(4, 2), flat(4, 3)]))).toBe(
      [
        '00 02 00 00 05 00 06 10 02 1f',
        '40 02 00 00 00 00 00 00 00 02 01 00 00 00 00 00 00 01 00 01 00 02',
        '40 02 00 00 00 00 00 00 00 02 02 00 00 00 00 00 00 02 00 02 00 02',
        '40 02 00 00 00 00 00 00 00 02 03 00 00 00 00 00 00 03 00 03 00 02',
      ].join(' '),
    )
  })

  it('channels take turns, a segment of 512 samples each', () => {
    const channels: Channels = [flat(1024, 1), flat(1024, 2), flat(1024, 3), flat(1024, 4)]
    const body = encodeBody(channels)
    const anchors: number[] = []
    for (let at = 7; at < body.byteLength;) {
      if (body[at] === 0x40) anchors.push(Buffer.from(body).readInt16BE(at + 16))
      at += body[at] === 0x40 ? 20 : 2
    }
    expect(anchors).toEqual([2, 3, 4, 1, 2, 3, 4])
    expect(back(channels)).toEqual(channels)
  })
})

describe('decode(encode(x)) = x', () => {
  it('for any four channels', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(anyChannels, (channels) => {
        const body = encodeBody(channels)
        for (const tag of tagsOf(body)) seen.add(tag)
        const { channels: read, problem } = decodeBody(body, channels[0].length)
        expect(problem).toBeUndefined()
        expect(read).toEqual(channels)
      }),
      { numRuns: 1500 },
    )
    expect([...seen].toSorted(), 'every kind of block was needed').toEqual(['00', '10', '10+', '20', '20+', '30', '40'])
  })

  it('for the smallest and largest values, next to each other in every way', () => {
    const extremes = [-32_768, 32_767, 0, -1, 1, 2047, 2048, -2048, -2049, 127, 128, -128, -129, 7, 8, -8, -9]
    const pairs = extremes.flatMap((a) => extremes.flatMap((b) => [a, b]))
    expect(back(four(channel(...pairs)))).toEqual(four(channel(...pairs)))
    for (const a of extremes) {
      for (const b of extremes) {
        const channels: Channels = [channel(a, b, a), channel(b, a, b), channel(a, a, b), channel(b, b, a)]
        expect(back(channels)).toEqual(channels)
      }
    }
  })

  it('for every length about the size of a segment, and a jump anywhere in the last channel', () => {
    for (let n = 1; n < 20; n++) expect(back(four(flat(n, n)))).toEqual(four(flat(n, n)))
    for (let n = 505; n < 521; n++) {
      for (const jump of [0, 1, 2, 509, 510, 511, 512, n - 1]) {
        const mic = flat(n)
        mic[jump] = 32_767
        const channels: Channels = [flat(n, 1), flat(n, 2), flat(n, 3), mic]
        expect(back(channels)).toEqual(channels)
      }
    }
  })

  it('a quiet recording is small, and the cheapest blocks are taken', () => {
    const noise = Int16Array.from({ length: 3328 }, (_, i) => Math.round(3 * Math.sin(i / 3)))
    expect(encodeBody(four(noise)).byteLength).toBeLessThan(noise.byteLength * 4 * 0.32)
    expect(encodeBody(four(flat(3328))).byteLength).toBeLessThan(900)
  })
})

describe('any bytes', () => {
  it('are read to an end, into no more than was asked for', () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([bytesOf('00 02 00 0000 0000'), bytes])),
      // Tags that exist, in any order.
      fc
        .array(fc.tuple(fc.constantFrom(0x00, 0x10, 0x11, 0x20, 0x2f, 0x30, 0x40), fc.integer({ min: 0, max: 255 })))
        .map((pairs) => Buffer.concat([bytesOf('00 02 00 0000 0000'), Buffer.from(pairs.flat())])),
    )
    fc.assert(
      fc.property(garbage, fc.integer({ min: 0, max: 5000 }), (bytes, samples) => {
        const { channels } = decodeBody(bytes, samples)
        expect(channels.map((it) => it.length)).toEqual([samples, samples, samples, samples])
      }),
      { numRuns: 1000 },
    )
  })

  it('a whole body with any byte changed, cut anywhere, or with more behind it', () => {
    const whole = encodeBody([
      channel(1, 2, 900, 4, 5),
      flat(5),
      channel(9, -9, 3000, -3000, 1),
      channel(0, 1, 0, 1, 0),
    ])
    let isCut = false
    for (let at = 0; at < whole.byteLength; at++) {
      const { channels, problem } = decodeBody(whole.subarray(0, at), 5)
      // Behind the last sample there may be segments of channels that have ended.
      if (problem === undefined) expect(channels).toEqual(decodeBody(whole, 5).channels)
      else isCut = true
      for (const bits of [1, 16, 128, 255]) {
        const changed = Uint8Array.from(whole)
        changed[at] = (changed[at] as number) ^ bits
        decodeBody(changed, 5)
      }
    }
    expect(isCut).toBe(true)
    expect(decodeBody(Buffer.concat([whole, Buffer.alloc(100, 0xff)]), 5).problem).toBeUndefined()
  })

  it('a body that promises more than there is, or is asked for more, says so', () => {
    const body = encodeBody(four(channel(1, 2, 3)))
    expect(decodeBody(body, 4000).problem).toContain('of 4000 samples')
    expect(decodeBody(body, Number.MAX_SAFE_INTEGER).channels[0].length).toBe(1_048_576)
    expect(decodeBody(bytesOf('00 02 00 0000 0000 20 ff 01'), 10).problem).toContain('no whole block')
    expect(decodeBody(bytesOf('00 02 00 0000 0000 50 01'), 10).problem).toContain('no whole block')
    expect(decodeBody(bytesOf('00 02 00 0000 0000 30 03 000000'), 10).problem).toContain('no whole block')
    expect(decodeBody(bytesOf('00 02 00 0000 0000 40 02 00'), 10).problem).toContain('is cut')
    expect(decodeBody(bytesOf('01 02 00 0000 0000'), 10).problem).toContain('does not begin')
  })
})
