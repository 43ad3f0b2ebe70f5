// Tiers that compress: they keep the contract, store less, and are read by tiers that do not.

import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  createTidemark,
  jsonl,
  memory,
  sqlite,
  ttl,
  type CompressOptions,
  type Resource,
  type Tidemark,
  type Tier,
  type TierReport,
} from 'tidemark'
import { redis } from 'tidemark/redis'
import { keyring } from 'tidemark/seal'
import { FakeClock, testTier } from 'tidemark/testing'
import { checksum } from '../../src/codec/checksum.ts'
import { FORMAT } from '../../src/codec/value.ts'
import { entryOf } from '../../src/testing/tier-cases/case.ts'
import { testFolder } from '../folder.ts'
import { removeKeys } from '../redis/shared.ts'
import { requireService } from '../services.ts'
import { sql } from '../sqlite/tier.ts'

const RUN = `tidemark-test-codec-${process.pid}-${Date.now()}`
const MB = 1024 * 1024
const KEY = { name: 'users', id: 'a' }
const folder = testFolder()
let places = 0
const nextPlace = (): string => join(folder, `${places++}`)
const ALWAYS: readonly CompressOptions[] = [
  { compress: 'zstd', compressAboveBytes: 0 },
  { compress: 'gzip', compressAboveBytes: 0 },
]
/** Several values, small and large, that shrink. */
const VALUES: Readonly<Record<string, unknown>> = {
  small: { text: 'tide '.repeat(200) },
  samples: new Int16Array(2_000),
  large: 'tide '.repeat(40_000),
  'large samples': { at: new Date(5), data: new Int16Array(300_000) },
  noise: randomBytes(1_000),
  'large noise': { data: randomBytes(200_000) },
}

/** A value with a secret. */
interface Vault {
  readonly id: string
  readonly note: string
  readonly key: string
}

/** A tier that is closed when the test is over, with what it reported. */
function attached(tier: Tier): { tier: Tier; clock: FakeClock; reports: TierReport[] } {
  const clock = new FakeClock()
  const reports: TierReport[] = []
  tier.attach?.({ clock, report: (news) => reports.push(news) })
  onTestFinished(() => tier.close())
  return { tier, clock, reports }
}

/** What every tier that compresses has to do; `make` opens one at a place, again and again. */
function compressing(make: (place: string, options: CompressOptions) => Tier): void {
  testTier('always', () => make(nextPlace(), ALWAYS[0] as CompressOptions), { test: it, maxValueBytes: 4 * MB })

  it('what was compressed is read without the option, and the other way round', async () => {
    const place = nextPlace()
    for (const options of [...ALWAYS, {}]) {
      const first = attached(make(place, options))
      for (const [id, value] of Object.entries(VALUES)) await first.tier.put(entryOf(first.clock, 'users', id, value))
      await first.tier.close()
      for (const others of [...ALWAYS, {}]) {
        const { tier, reports } = attached(make(place, others))
        for (const [id, value] of Object.entries(VALUES))
          expect((await tier.get({ name: 'users', id }))?.value, id).toEqual(value)
        expect(reports).toEqual([])
        await tier.close()
      }
    }
  })

  it('stores less, and tells how much', async () => {
    const { tier, clock } = attached(make(nextPlace(), { compress: 'zstd' }))
    for (const [id, value] of Object.entries(VALUES)) await tier.put(entryOf(clock, 'users', id, value))
    const sizes: Record<string, number> = {}
    for await (const { key, bytes } of tier.keys({ kind: 'all' })) sizes[key.id] = bytes as number
    expect(sizes['large']).toBeLessThan(1_000)
    expect(sizes['large samples']).toBeLessThan(1_000)
    expect(sizes['small'], 'below the limit').toBeGreaterThan(1_000)
    expect(sizes['samples'], 'below the limit').toBeGreaterThan(4_000)
    expect(sizes['noise']).toBeGreaterThan(1_000)
  })

  it('maxEntryBytes counts a value before it is compressed', async () => {
    const { tier, clock, reports } = attached(make(nextPlace(), { ...ALWAYS[0], maxEntryBytes: 50_000 } as never))
    await tier.put(entryOf(clock, 'users', 'a', 'fits'.repeat(10_000)))
    expect((await tier.get(KEY))?.value).toHaveLength(40_000)
    for (const size of [50_000, 500_000]) {
      await tier.put(entryOf(clock, 'users', 'a', 'x'.repeat(size)))
      expect(await tier.get(KEY), 'nor the older one').toBeUndefined()
    }
    expect(reports).toMatchObject([
      { kind: 'skipped', why: 'too-large', message: expect.stringContaining('50002') as string },
      { kind: 'skipped', why: 'too-large', message: expect.stringContaining('500002') as string },
    ])
  })

  it('later changes win over a large value that is still being compressed', async () => {
    const { tier, clock } = attached(make(nextPlace(), ALWAYS[0] as CompressOptions))
    const large = (): Promise<boolean> => Promise.resolve(tier.put(entryOf(clock, 'users', 'a', 'tide'.repeat(MB))))
    await Promise.all([large(), tier.put(entryOf(clock, 'users', 'a', 'small'))])
    expect((await tier.get(KEY))?.value).toBe('small')
    await Promise.all([large(), tier.remove({ kind: 'name', name: 'users' })])
    expect(await tier.get(KEY)).toBeUndefined()
    const lease = await tier.lease()
    const loaded = tier.put(entryOf(clock, 'users', 'a', 'tide'.repeat(MB)), lease)
    await Promise.all([loaded, tier.remove({ kind: 'key', key: KEY })])
    expect(await tier.get(KEY)).toBeUndefined()
  })
}

describe('sqlite', () => {
  const make = (place: string, options: CompressOptions): Tier => sqlite({ path: `${place}.db`, ...options })
  compressing(make)

  it('a large value that shrinks enough lies in its row, one that does not in a file', async () => {
    const place = nextPlace()
    const { tier, clock } = attached(make(place, { compress: 'zstd' }))
    await tier.put(entryOf(clock, 'users', 'a', VALUES['large']))
    expect(existsSync(`${place}.db.values`)).toBe(false)
    expect(sql(`${place}.db`, 'SELECT format FROM entries')).toEqual([{ format: FORMAT.packed }])
    await tier.put(entryOf(clock, 'users', 'a', randomBytes(150_000).toString('hex')))
    expect(sql(`${place}.db`, 'SELECT format FROM entries')).toEqual([{ format: FORMAT.packed + 8 }])
    const files = readdirSync(`${place}.db.values`, { recursive: true, withFileTypes: true }).filter((it) =>
      it.isFile(),
    )
    expect(files).toHaveLength(1)
    expect((await tier.get(KEY))?.value).toHaveLength(300_000)
  })

  it('`:memory:` compresses as well', async () => {
    const { tier, clock } = attached(sqlite({ path: ':memory:', compress: 'gzip' }))
    await tier.put(entryOf(clock, 'users', 'a', VALUES['large']))
    expect(await tier.get(KEY)).toMatchObject({ value: VALUES['large'], bytes: expect.closeTo(500, -3) as number })
  })

  /** Puts other data into a row, with a checksum that fits. */
  function rewrite(path: string, format: number, value: Uint8Array): void {
    const db = new DatabaseSync(path)
    const row = db.prepare('SELECT * FROM entries').get() as Record<string, number>
    const crc = checksum(value, {
      loadedAt: row['loaded_at'] as number,
      freshUntil: row['fresh_until'] as number,
      staleMs: 0,
      errorMs: 0,
      keepMs: 0,
      format,
      scope: null,
      extra: null,
    })
    db.prepare('UPDATE entries SET format = ?, value = ?, crc = ?').run(format, value, crc)
    db.close()
  }

  it('skewed-versions: a compression or a format that is not known is a miss and a count, and is left alone', async () => {
    for (const [format, value] of [
      [FORMAT.packed, Buffer.from([9, 0, 3, 0, 0, 0, 1, 2, 3])],
      [5, Buffer.from('new')],
    ] as const) {
      const place = nextPlace()
      const { tier, clock, reports } = attached(make(place, {}))
      await tier.put(entryOf(clock, 'users', 'a', 'v'))
      rewrite(`${place}.db`, format, value)
      expect(await tier.get(KEY)).toBeUndefined()
      expect(reports).toMatchObject([{ kind: 'corrupt', key: KEY }])
      await tier.put(entryOf(clock, 'users', 'b', 'v'))
      expect(sql(`${place}.db`, "SELECT format FROM entries WHERE key = 'a'")).toEqual([{ format }])
    }
  })

  it('a bomb is a miss and a count, and is removed', async () => {
    const place = nextPlace()
    const { tier, clock, reports } = attached(make(place, {}))
    await tier.put(entryOf(clock, 'users', 'a', 'v'))
    const declared = Buffer.from([2, 2, 0xff, 0xff, 0xff, 0xff, 1, 2, 3])
    rewrite(`${place}.db`, FORMAT.packed, declared)
    expect(await tier.get(KEY)).toBeUndefined()
    expect(reports).toMatchObject([{ kind: 'corrupt', key: KEY }])
    await tier.put(entryOf(clock, 'users', 'b', 'v'))
    expect(sql(`${place}.db`, "SELECT format FROM entries WHERE key = 'a'")).toEqual([])
  })

  it('secrets are compressed before they are sealed, and what is sealed is not compressed', async () => {
    const place = nextPlace()
    const keys = keyring({ active: 'a', keys: { a: new Uint8Array(32).fill(7) } })
    const secret = 'BEGIN PRIVATE KEY '.repeat(2_000)
    const open = (): { tide: Tidemark; vault: Resource<string, Vault> } => {
      const tide = createTidemark({
        tiers: [memory(), sqlite({ path: `${place}.db`, compress: 'zstd' })],
        keyring: keys,
      })
      const load = (id: string): Vault => ({ id, note: 'n'.repeat(9_000), key: secret })
      return { tide, vault: tide.resource({ name: 'vault', load, secrets: ['key'], freshness: ttl('1h') }) }
    }
    const first = open()
    await first.vault.get('a')
    await first.tide.close()
    const [row] = sql(`${place}.db`, 'SELECT format, value FROM entries') as [{ format: number; value: string }]
    expect(row.format).toBe(FORMAT.json)
    const stored = (JSON.parse(row.value) as { value: { note: string; key: string } }).value
    expect(stored.key.length, 'far less than the secret').toBeLessThan(400)
    expect(stored.note, 'what lies beside a secret stays as it is').toHaveLength(9_000)
    expect(readFileSync(`${place}.db`, 'latin1')).not.toContain('PRIVATE')
    const second = open()
    expect(await second.vault.stored('a')).toMatchObject({ key: secret })
    await second.tide.close()
  })
})

describe('jsonl', () => {
  const make = (place: string, options: CompressOptions): Tier => jsonl({ path: place, ...options })
  compressing(make)

  it('a large value that shrinks enough lies in its line, as base64', async () => {
    const place = nextPlace()
    const { tier, clock } = attached(make(place, { compress: 'zstd' }))
    await tier.put(entryOf(clock, 'users', 'a', VALUES['large']))
    expect(existsSync(join(place, 'large.values'))).toBe(false)
    const lines = readFileSync(join(place, 'segment-00000001.jsonl'), 'utf8').trim().split('\n')
    const line = JSON.parse(lines.at(-1) as string) as { format: number; bytes: number; value: string }
    expect(line.format).toBe(FORMAT.packed)
    expect(Buffer.from(line.value, 'base64').byteLength).toBe(line.bytes)
    await tier.put(entryOf(clock, 'users', 'b', VALUES['large noise']))
    expect(readdirSync(join(place, 'large.values')).length).toBeGreaterThan(0)
  })
})

await requireService('redis', (url) => {
  describe('redis', () => {
    const client = new Redis(url, { lazyConnect: true })
    const prefixOf = (place: string): string => `${RUN}-${place.split('/').at(-1)}`
    afterAll(async () => {
      await removeKeys(client, RUN)
      client.disconnect()
    })
    const make = (place: string, options: CompressOptions): Tier =>
      redis({ client, prefix: prefixOf(place), ...options })
    compressing(make)

    /** The one entry of a place with its first byte of value changed, and a checksum that fits. */
    async function rewrite(place: string, change: (frame: Buffer) => void): Promise<string> {
      const key = (await client.keys(`{${prefixOf(place)}*`)).find((it) => it.endsWith(':ka')) as string
      const frame = (await client.getBuffer(key)) as Buffer
      change(frame)
      frame.writeUInt32BE(crc32(frame.subarray(24), crc32(frame.subarray(0, 4))), 20)
      await client.set(key, frame)
      return key
    }

    it('skewed-versions: a compression that is not known is a miss and a count, and is left alone; a bomb is removed', async () => {
      for (const [change, left] of [
        [(frame: Buffer) => void (frame[72] = 9), 1],
        [(frame: Buffer) => void frame.writeUInt32LE(0xffff_ffff, 74), 0],
        [(frame: Buffer) => void frame.writeUInt32LE(100_000, 74), 0],
      ] as const) {
        const place = nextPlace()
        const { tier, clock, reports } = attached(make(place, { compress: 'zstd' }))
        await tier.put(entryOf(clock, 'users', 'a', VALUES['large']))
        const key = await rewrite(place, change)
        expect(await tier.get(KEY)).toBeUndefined()
        expect(reports).toMatchObject([{ kind: 'corrupt', key: KEY }])
        // A round trip, after which what was done behind the read is done.
        await tier.get({ name: 'users', id: 'b' })
        expect(await client.exists(key)).toBe(left)
      }
    })
  })
})
