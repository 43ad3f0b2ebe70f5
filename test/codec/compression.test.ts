import { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { jsonl, sqlite, type CompressOptions, type Tier } from 'tidemark'
import { DEFAULT_COMPRESS_ABOVE_BYTES, resolveCompression } from '../../src/codec/compression.ts'
import { resolveRedis } from '../../src/tier/redis/options.ts'

it('is off unless asked for; large values are those of more than a page', () => {
  expect(resolveCompression('x', {})).toBeUndefined()
  expect(resolveCompression('x', { compress: undefined, compressAboveBytes: undefined })).toBeUndefined()
  expect(resolveCompression('x', { compress: 'zstd' })).toEqual({
    algorithm: 'zstd',
    aboveBytes: DEFAULT_COMPRESS_ABOVE_BYTES,
  })
  expect(resolveCompression('x', { compress: 'gzip', compressAboveBytes: 0 })).toEqual({
    algorithm: 'gzip',
    aboveBytes: 0,
  })
})

const client = new Redis({ lazyConnect: true })
const TIERS: Readonly<Record<string, (options: CompressOptions) => unknown>> = {
  sqlite: (options) => sqlite({ path: ':memory:', ...options }),
  jsonl: (options) => jsonl(options),
  redis: (options) => resolveRedis({ client, ...options }),
}

it.for(Object.entries(TIERS))('%s refuses what it cannot do, and names the option', ([name, make]) => {
  for (const [options, option] of [
    [{ compress: 'brotli' as never }, 'compress'],
    [{ compress: true as never }, 'compress'],
    [{ compress: 'zstd', compressAboveBytes: -1 }, 'compressAboveBytes'],
    [{ compress: 'zstd', compressAboveBytes: 1.5 }, 'compressAboveBytes'],
    [{ compress: 'zstd', compressAboveBytes: '4k' as never }, 'compressAboveBytes'],
    [{ compressAboveBytes: 100 }, 'compressAboveBytes'],
  ] as const satisfies (readonly [CompressOptions, string])[]) {
    expect(() => make(options), JSON.stringify(options)).toThrow(
      expect.objectContaining({
        code: 'invalid-option',
        data: expect.objectContaining({ option: `${name}.${option}` }) as unknown,
      }),
    )
  }
})

it('a tier declares it', () => {
  expect(sqlite({ path: ':memory:', compress: 'zstd' }).capabilities.compression).toEqual({
    algorithm: 'zstd',
    aboveBytes: 4096,
  })
  const { capabilities } = sqlite({ path: ':memory:' }) satisfies Tier
  expect('compression' in capabilities).toBe(false)
})
