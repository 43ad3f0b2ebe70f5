// A compressed value: says itself how, and what it was before, so that reading needs no option.
//
//   0  algorithm: 1 gzip, 2 zstd
//   1  format of the plain value
//   2  bytes of the plain value, little-endian
//   6  the compressed bytes

import { promisify } from 'node:util'
import {
  constants,
  gunzip,
  gunzipSync,
  gzip,
  gzipSync,
  zstdCompress,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib'
import { TidemarkError } from '../errors.ts'
import type { Compression, CompressionAlgorithm } from './compression.ts'
import { FORMAT, type Encoded } from './value.ts'

/** What is larger is stored as it is; what says that it is larger is not decompressed. Bounds what a read can take. */
export const PLAIN_BYTES_MAX: number = 64 * 1024 * 1024
/** More than this is packed and unpacked by a thread of its own where the caller can wait: here it would take a millisecond. */
export const AT_ONCE_BYTES_MAX: number = 64 * 1024

const HEAD_BYTES = 6
/** A value that does not shrink to this is not worth unpacking; as base64 it would not even be smaller. */
const WORTH = 0.75
/** RFC 8878 asks every decoder for as much. A frame that wants more memory than 8 MiB beside its output is none of ours. */
const ZSTD_WINDOW_LOG_MAX = 23

/** What compresses, at once and in a thread. */
interface Algorithm {
  readonly id: number
  readonly pack: (plain: Uint8Array) => Uint8Array
  readonly packLater: (plain: Uint8Array) => Promise<Uint8Array>
  readonly unpack: (packed: Uint8Array, plainBytes: number) => Uint8Array
  readonly unpackLater: (packed: Uint8Array, plainBytes: number) => Promise<Uint8Array>
}

interface Bound {
  readonly maxOutputLength: number
  readonly chunkSize: number
}

/** zlib gives up as soon as more comes out than was declared. */
const bound = (plainBytes: number): Bound => ({
  maxOutputLength: plainBytes,
  chunkSize: Math.min(Math.max(plainBytes + 1, 1024), 1024 * 1024),
})
const zstdBound = (plainBytes: number): Bound & { readonly params: Record<number, number> } => ({
  ...bound(plainBytes),
  params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
})

const ALGORITHMS: Readonly<Record<CompressionAlgorithm, Algorithm>> = {
  gzip: {
    id: 1,
    pack: (plain) => gzipSync(plain),
    packLater: (plain) => promisify(gzip)(plain),
    unpack: (packed, plainBytes) => gunzipSync(packed, bound(plainBytes)),
    unpackLater: (packed, plainBytes) => promisify(gunzip)(packed, bound(plainBytes)),
  },
  zstd: {
    id: 2,
    pack: (plain) => zstdCompressSync(plain),
    packLater: (plain) => promisify(zstdCompress)(plain),
    unpack: (packed, plainBytes) => zstdDecompressSync(packed, zstdBound(plainBytes)),
    unpackLater: (packed, plainBytes) => promisify(zstdDecompress)(packed, zstdBound(plainBytes)),
  },
}

/** The value compressed, or itself when it is too small, too large, or would not shrink. */
export function pack(encoded: Encoded, compression: Compression | undefined): Encoded {
  const plain = plainOf(encoded, compression)
  if (!plain || !compression) return encoded
  const algorithm = ALGORITHMS[compression.algorithm]
  return packedOf(encoded, plain, algorithm, algorithm.pack(plain))
}

/** The same in a thread of its own, for large values. */
export async function packLater(encoded: Encoded, compression: Compression | undefined): Promise<Encoded> {
  const plain = plainOf(encoded, compression)
  if (!plain || !compression) return encoded
  const algorithm = ALGORITHMS[compression.algorithm]
  return packedOf(encoded, plain, algorithm, await algorithm.packLater(plain))
}

/** The value that was packed. Errors: `tier-newer` for an algorithm or a format this code does not know, `tier-corrupt`. */
export function unpack(data: Uint8Array): Encoded {
  const { algorithm, format, plainBytes, packed } = headOf(data)
  try {
    return plainEncoded(format, algorithm.unpack(packed, plainBytes), plainBytes)
  } catch (error) {
    throw damaged('does not decompress to what it says', error)
  }
}

/** The same in a thread of its own, for large values. Errors: as {@link unpack}. */
export async function unpackLater(data: Uint8Array): Promise<Encoded> {
  const { algorithm, format, plainBytes, packed } = headOf(data)
  try {
    return plainEncoded(format, await algorithm.unpackLater(packed, plainBytes), plainBytes)
  } catch (error) {
    throw damaged('does not decompress to what it says', error)
  }
}

/** How large a packed value says it will be. Errors: as {@link unpack}. */
export function plainBytesOf(data: Uint8Array): number {
  return headOf(data).plainBytes
}

interface Head {
  readonly algorithm: Algorithm
  readonly format: number
  readonly plainBytes: number
  readonly packed: Uint8Array
}

function headOf(data: Uint8Array): Head {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (bytes.byteLength <= HEAD_BYTES) throw damaged('is cut off')
  const [id, format] = [bytes[0] as number, bytes[1] as number]
  const algorithm = Object.values(ALGORITHMS).find((it) => it.id === id)
  if (!algorithm || format >= FORMAT.packed) {
    throw new TidemarkError('tier-newer', `A stored value has the unknown compression ${id} of format ${format}.`, {
      hint: 'A newer Tidemark wrote it: it counts as a miss here, and is left alone.',
    })
  }
  const plainBytes = bytes.readUInt32LE(2)
  if (plainBytes === 0 || plainBytes > PLAIN_BYTES_MAX)
    throw damaged(`says that it decompresses to ${plainBytes} bytes`)
  return { algorithm, format, plainBytes, packed: bytes.subarray(HEAD_BYTES) }
}

/** The bytes to compress, if they may be worth it. */
function plainOf({ data }: Encoded, compression: Compression | undefined): Uint8Array | undefined {
  if (compression === undefined) return undefined
  const { aboveBytes } = compression
  // A unit of text takes up to three bytes; most texts are short enough not to be looked at closer.
  if (typeof data === 'string' ? data.length * 3 <= aboveBytes : data.byteLength <= aboveBytes) return undefined
  const plain = typeof data === 'string' ? Buffer.from(data, 'utf8') : data
  return plain.byteLength > aboveBytes && plain.byteLength <= PLAIN_BYTES_MAX ? plain : undefined
}

function packedOf(encoded: Encoded, plain: Uint8Array, { id }: Algorithm, packed: Uint8Array): Encoded {
  const bytes = HEAD_BYTES + packed.byteLength
  if (bytes > plain.byteLength * WORTH) return encoded
  const data = Buffer.allocUnsafe(bytes)
  data[0] = id
  data[1] = encoded.format
  data.writeUInt32LE(plain.byteLength, 2)
  data.set(packed, HEAD_BYTES)
  return { format: FORMAT.packed, data }
}

function plainEncoded(format: number, plain: Uint8Array, plainBytes: number): Encoded {
  if (plain.byteLength !== plainBytes) throw new RangeError(`${plain.byteLength} bytes, not ${plainBytes}`)
  if (format === FORMAT.binary) return { format, data: plain }
  const text = Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).toString('utf8')
  return { format: format as typeof FORMAT.json, data: text }
}

function damaged(what: string, cause?: unknown): TidemarkError {
  return new TidemarkError('tier-corrupt', `A stored compressed value ${what}.`, {
    hint: 'The value counts as a miss and is loaded again; if this repeats, look at who else can write where it lies.',
    cause,
  })
}
