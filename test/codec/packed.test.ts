// Compressed values: what is compressed, that it comes back, and what a damaged or hostile one comes to.

import assert from 'node:assert/strict'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTidemarkError, type TidemarkError } from 'tidemark'
import type { Compression, CompressionAlgorithm } from '../../src/codec/compression.ts'
import { AT_ONCE_BYTES_MAX, PLAIN_BYTES_MAX, pack, packLater, unpack, unpackLater } from '../../src/codec/packed.ts'
import { SEALED_MARK, compressed, decodeStored, decodeStoredSoon, withValue } from '../../src/codec/stored.ts'
import { FORMAT, encodeValue, type Encoded } from '../../src/codec/value.ts'
import { storable } from './storable.ts'

const ALGORITHMS: readonly CompressionAlgorithm[] = ['zstd', 'gzip']
const IDS = { gzip: 1, zstd: 2 } as const
const always = (algorithm: CompressionAlgorithm): Compression => ({ algorithm, aboveBytes: 0 })
const compressing = { gzip: gzipSync, zstd: zstdCompressSync } as const

/** A value that says what it likes of itself. */
function crafted(id: number, format: number, plainBytes: number, packed: Uint8Array): Uint8Array {
  const head = Buffer.alloc(6)
  head[0] = id
  head[1] = format
  head.writeUInt32LE(plainBytes, 2)
  return Buffer.concat([head, packed])
}

async function refusal(data: Uint8Array): Promise<TidemarkError> {
  const error = await unpackLater(data).then(
    () => undefined,
    (it: unknown) => it as TidemarkError,
  )
  expect(() => unpack(data)).toThrow(error?.message)
  return error as TidemarkError
}

const packedOf = (value: unknown, algorithm: CompressionAlgorithm): Uint8Array => {
  const { format, data } = pack(encodeValue(value), always(algorithm))
  expect(format).toBe(FORMAT.packed)
  return data as Uint8Array
}

describe.for(ALGORITHMS)('%s', (algorithm) => {
  it('every value comes back as it was, whether it shrank or not', () => {
    fc.assert(
      fc.property(storable, fc.integer({ min: 1, max: 40 }), (value, times) => {
        const many = Array.from({ length: times }, () => value)
        const { format, data } = pack(encodeValue(many), always(algorithm))
        assert.deepStrictEqual(decodeStored(format, data), many)
      }),
      { numRuns: 300 },
    )
  })

  it('by a thread of its own as well, and large ones are read by one', async () => {
    const large = 'tide '.repeat(AT_ONCE_BYTES_MAX)
    for (const value of ['tide '.repeat(100), large, { samples: new Int16Array(100_000), at: new Date(5) }]) {
      const { format, data } = await packLater(encodeValue(value), always(algorithm))
      expect(format).toBe(FORMAT.packed)
      expect(data.length).toBeLessThan(2_000)
      assert.deepStrictEqual((await withValue({ value: decodeStoredSoon(format, data) })).value, value)
      expect(decodeStored(format, data)).toEqual(value)
    }
    const packed = packedOf(large, algorithm)
    expect(decodeStoredSoon(FORMAT.packed, packed)).toBeInstanceOf(Promise)
    expect(decodeStoredSoon(FORMAT.packed, packedOf('tide '.repeat(100), algorithm))).toBe('tide '.repeat(100))
  })

  it('only what is larger than was asked for, counted in bytes', () => {
    const formatOf = (text: string, aboveBytes: number): number =>
      pack(encodeValue(text), { algorithm, aboveBytes }).format
    // The quotes count.
    expect([formatOf('x'.repeat(998), 1000), formatOf('x'.repeat(999), 1000)]).toEqual([FORMAT.json, FORMAT.packed])
    expect([formatOf('é'.repeat(499), 1000), formatOf('é'.repeat(500), 1000)]).toEqual([FORMAT.json, FORMAT.packed])
    const bytes = encodeValue(Buffer.alloc(2_000))
    expect(pack(bytes, { algorithm, aboveBytes: bytes.data.length }).format).toBe(FORMAT.binary)
    expect(pack(bytes, { algorithm, aboveBytes: bytes.data.length - 1 }).format).toBe(FORMAT.packed)
  })

  it('what would not shrink by a quarter stays as it is', () => {
    const noise = encodeValue(crypto.getRandomValues(new Uint8Array(20_000)))
    expect(pack(noise, always(algorithm))).toBe(noise)
    const small = encodeValue('ab')
    expect(pack(small, always(algorithm))).toBe(small)
    for (const text of ['tide '.repeat(10), JSON.stringify(crypto.getRandomValues(new Uint8Array(5_000)))]) {
      const plain = encodeValue(text)
      const { format, data } = pack(plain, always(algorithm))
      if (format === FORMAT.packed) expect(data.length).toBeLessThanOrEqual(Buffer.byteLength(plain.data) * 0.75)
    }
  })

  it('a bomb: more comes out than was declared, and decompressing ends there', async () => {
    const bomb = compressing[algorithm](Buffer.alloc(32 * 1024 * 1024))
    for (const declared of [1, 1000, 100_000, 31 * 1024 * 1024]) {
      const error = await refusal(crafted(IDS[algorithm], FORMAT.json, declared, bomb))
      expect(error.code).toBe('tier-corrupt')
      expect(error.cause).toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' })
    }
  })

  it('a bomb: one that declares more than 64 MiB, or nothing, is not decompressed at all', async () => {
    const bomb = compressing[algorithm](Buffer.alloc(1024))
    for (const declared of [PLAIN_BYTES_MAX + 1, 0xffff_ffff, 0]) {
      const error = await refusal(crafted(IDS[algorithm], FORMAT.binary, declared, bomb))
      expect([error.code, error.cause]).toEqual(['tier-corrupt', undefined])
      expect(error.message).toContain(String(declared))
    }
  })

  it('less than was declared is damage', async () => {
    const packed = compressing[algorithm](Buffer.alloc(1000))
    expect(await refusal(crafted(IDS[algorithm], FORMAT.binary, 1001, packed))).toMatchObject({ code: 'tier-corrupt' })
  })

  it('one that is cut off anywhere is damage', () => {
    const whole = packedOf(
      Array.from({ length: 60 }, (_, i) => ({ i, text: `unit ${i}` })),
      algorithm,
    )
    for (let bytes = 0; bytes < whole.byteLength; bytes++) {
      const cut = whole.subarray(0, bytes)
      expect(() => decodeStored(FORMAT.packed, cut), String(bytes)).toThrow('A stored compressed value')
    }
  })

  it('what lies inside is decoded as what it was, and checked like any other', async () => {
    const text = Buffer.from('{"$":"no such tag"}'.padEnd(500))
    const data = crafted(IDS[algorithm], FORMAT.tagged, text.byteLength, compressing[algorithm](text))
    expect(() => decodeStored(FORMAT.packed, data)).toThrow('unknown tag')
    const large = Buffer.from('{"$":"no such tag"}'.padEnd(AT_ONCE_BYTES_MAX + 1))
    const later = crafted(IDS[algorithm], FORMAT.tagged, large.byteLength, compressing[algorithm](large))
    await expect(decodeStoredSoon(FORMAT.packed, later)).rejects.toThrow('unknown tag')
  })
})

it('a value of more than 64 MiB stays as it is', async () => {
  const huge: Encoded = { format: FORMAT.binary, data: Buffer.alloc(PLAIN_BYTES_MAX + 1) }
  expect(pack(huge, always('zstd'))).toBe(huge)
  expect(await packLater(huge, always('gzip'))).toBe(huge)
})

it('a zstd frame that wants a large window is refused: it would take that memory beside its output', async () => {
  const plain = Buffer.alloc(16 * 1024 * 1024, 'tide')
  const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 }
  const packed = zstdCompressSync(plain, { params })
  const error = await refusal(crafted(IDS.zstd, FORMAT.binary, plain.byteLength, packed))
  expect(error.code).toBe('tier-corrupt')
  expect(error.cause).toMatchObject({ code: 'ZSTD_error_frameParameter_windowTooLarge' })
})

describe('skewed-versions', () => {
  it('a compression, or a format inside it, that is not known is of a newer version', async () => {
    const packed = zstdCompressSync(Buffer.from('"x"'))
    for (const [id, format] of [
      [0, FORMAT.json],
      [3, FORMAT.json],
      [255, FORMAT.json],
      [2, FORMAT.packed],
      [2, 9],
    ] as const) {
      expect(await refusal(crafted(id, format, 3, packed)), `${id}, ${format}`).toMatchObject({ code: 'tier-newer' })
    }
  })

  it('so is an unknown format of the whole; text where bytes should be is not', () => {
    const codeOf = (format: number, data: string | Uint8Array): string => {
      try {
        decodeStored(format, data)
      } catch (error) {
        return isTidemarkError(error) ? error.code : 'no error of ours'
      }
      return 'none'
    }
    expect([codeOf(4, Buffer.from('1')), codeOf(255, '1')]).toEqual(['tier-newer', 'tier-newer'])
    expect([codeOf(FORMAT.packed, '1'), codeOf(FORMAT.json, Buffer.from('1'))]).toEqual([
      'invalid-value',
      'invalid-value',
    ])
  })
})

it('what has sealed parts is not compressed any more', () => {
  const sealed = { [SEALED_MARK]: [['password']], value: { password: 'x'.repeat(10_000) } }
  const encoded = encodeValue(sealed)
  expect(compressed(sealed, encoded, always('zstd'))).toBe(encoded)
  expect(compressed({ ...sealed.value }, encodeValue(sealed.value), always('zstd')).format).toBe(FORMAT.packed)
})
