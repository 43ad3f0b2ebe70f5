import { invalidOption } from '../errors.ts'

/** How values are compressed. Both are part of Node.js: `zstd` is quicker and packs closer, `gzip` is known everywhere. */
export type CompressionAlgorithm = 'zstd' | 'gzip'

/** The options of a tier that stores encoded values. */
export interface CompressOptions {
  /**
   * Compresses larger values before they are stored; one that would not shrink by a quarter stays as it is. Reading does
   * not depend on it: each value says how it is stored. Defaults to none.
   */
  readonly compress?: CompressionAlgorithm | undefined
  /** Values of more encoded bytes than this are compressed. Only with `compress`. Defaults to 4096. */
  readonly compressAboveBytes?: number | undefined
}

/** The names of these options, for `refuseUnknown`. */
export const COMPRESS_OPTIONS: readonly (keyof CompressOptions)[] = ['compress', 'compressAboveBytes']

/** The options, checked and completed. */
export interface Compression {
  readonly algorithm: CompressionAlgorithm
  readonly aboveBytes: number
}

/** Defaults to this many bytes: below, the call costs more than a network or a disk gains (bench/findings.md). */
export const DEFAULT_COMPRESS_ABOVE_BYTES = 4096

/** What a tier named `tier` was told; `undefined` for no compression. Errors: `invalid-option`. */
export function resolveCompression(tier: string, options: CompressOptions): Compression | undefined {
  const { compress, compressAboveBytes } = options
  if (compress !== undefined && compress !== 'zstd' && compress !== 'gzip')
    throw invalidOption(`${tier}.compress`, "'zstd' or 'gzip'", compress)
  if (compressAboveBytes !== undefined && (!Number.isSafeInteger(compressAboveBytes) || compressAboveBytes < 0))
    throw invalidOption(`${tier}.compressAboveBytes`, 'a whole number from 0', compressAboveBytes)
  if (compress !== undefined)
    return { algorithm: compress, aboveBytes: compressAboveBytes ?? DEFAULT_COMPRESS_ABOVE_BYTES }
  if (compressAboveBytes === undefined) return undefined
  throw invalidOption(`${tier}.compressAboveBytes`, 'left out without `compress`', compressAboveBytes)
}
