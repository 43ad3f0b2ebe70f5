import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { keyring } from 'tidemark/seal'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { csvFields } from '../src/import/csv.ts'
import type { Format } from '../src/import/format.ts'
import { importProxies } from '../src/import/import.ts'
import { migrateShards } from '../src/import/legacy.ts'
import { LINE_BYTES_MAX, linesOf } from '../src/import/lines.ts'
import { ProxyPool } from '../src/pool/pool.ts'
import { proxyKey } from '../src/proxy/address.ts'
import { imported } from '../src/show/imports.ts'

let dataDir: string
let pool: ProxyPool

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'proxypool-'))
  pool = new ProxyPool({
    dataDir,
    keyring: keyring({ active: 'a', keys: { a: randomBytes(32) } }),
    check: async () => ({ ok: true }),
  })
})

afterEach(async () => {
  await pool.close()
  rmSync(dataDir, { recursive: true })
})

async function* chunked(text: string | Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const load = (format: Format, text: string | Uint8Array, size?: number): ReturnType<typeof importProxies> =>
  importProxies(pool, chunked(text, size), { format })

it.for([
  ['txt', '# list\nhttp://a:1\n\nb:2:ada:secret\r\nhttp://a:1\nnot a proxy\n', [2, 3, 1], 6],
  [
    'csv',
    'url,username,password,source,ttl_seconds\nhttp://a:1,,,x,60\nhttp://b:2,ada,"se,cr""et",y,\nhttp://c:3,"open\n',
    [2, 1, 1],
    4,
  ],
  [
    'jsonl',
    '"http://a:1"\n{"url":"http://b:2","username":"ada","password":"secret"}\n5\n{"no":"url"}\n{"url":\n',
    [2, 0, 3],
    3,
  ],
  ['json', '{"proxies":["http://a:1",{"url":"http://b:2"},null]}', [2, 0, 1], 3],
] as const)(
  '%s: counts what was loaded, skipped and failed, with the line',
  async ([format, text, [loaded, skipped, failed], line]) => {
    const report = await load(format, text)
    expect([report.loaded, report.skipped, report.failed]).toEqual([loaded, skipped, failed])
    expect(report.failures[0]?.line).toBe(line)
    expect(await pool.size()).toBe(loaded)
  },
)

it('credentials of a file are kept, a masked password is refused', async () => {
  await load('csv', 'http://b:2,ada,"se,cr""et"\n')
  expect(await pool.get(proxyKey('http://b:2'))).toMatchObject({ username: 'ada', password: 'se,cr"et' })
  const { failures } = await load('jsonl', '{"url":"http://c:3","username":"ada","password":"*****"}\n')
  expect(failures[0]?.reason).toContain('masked')
})

it.for([
  ['username', 5],
  ['password', 123456],
  ['password', ['secret']],
  ['password', { a: 1 }],
  ['source', true],
  ['fetched_at', 1_700_000_000],
  ['ttl_seconds', true],
  ['ttl_seconds', []],
  ['ttl_seconds', 'ten'],
  ['ttl_seconds', -1],
  ['url', ['http://a:1']],
])('%s: a value of the wrong type is refused with its line, not left out', async ([name, value]) => {
  const lines = `"http://b:2"\n${JSON.stringify({ url: 'http://a:1', [name as string]: value })}\n`
  const { loaded, failures } = await load('jsonl', lines)
  expect([loaded, await pool.size()]).toEqual([1, 1])
  expect(failures).toEqual([{ line: 2, reason: expect.stringContaining(`\`${name as string}\``) as string }])
})

it('null and nothing are not given; numbers may be text', async () => {
  const none = { username: null, password: '', source: null, fetched_at: null }
  const { loaded } = await load('jsonl', JSON.stringify({ url: 'http://a:1', ttl_seconds: '60', ...none }))
  expect(loaded).toBe(1)
  expect(await pool.get(proxyKey('http://a:1'))).toMatchObject({ source: 'import', ttlSeconds: 60 })
})

it('what is past its time is skipped, and was not loaded', async () => {
  const old = { fetched_at: '2020-01-01T00:00:00Z', ttl_seconds: 60 }
  const lines = [
    { url: 'http://a:1', ...old },
    { url: 'http://b:2' },
    { url: 'http://c:3', ...old, ttl_seconds: 1e300 },
  ]
  expect(await load('jsonl', lines.map((it_) => JSON.stringify(it_)).join('\n'))).toMatchObject({
    loaded: 2,
    skipped: 1,
    failed: 0,
  })
  expect(await pool.size()).toBe(2)
  const late = { url: 'http://a:1', fetchedAt: old.fetched_at, ttlSeconds: old.ttl_seconds }
  await expect(pool.add(late)).rejects.toThrow('past its time')
})

it.for([
  ['txt', 'http://a:1\n'],
  ['csv', '"url"\nhttp://a:1\n'],
  ['csv', 'http://a:1\n'],
  ['jsonl', '{"url":"http://a:1"}\n'],
  ['json', '[{"url":"http://a:1"}]'],
] as const)('%s may begin with a byte order mark', async ([format, text]) => {
  expect(await load(format, `\uFEFF${text}`, 2)).toMatchObject({ loaded: 1, failed: 0 })
  expect(await pool.get(proxyKey('http://a:1'))).toBeDefined()
})

describe('columns of CSV', () => {
  it.for([
    ['host,port,username,password', '10.0.0.9,8080,ada,lovelace'],
    ['IP , Port, Pass, Country, User', '10.0.0.9,8080,lovelace,uk,ada'],
    ['protocol,ip,port,user,password', 'http,10.0.0.9,8080,ada,lovelace'],
    ['password,proxy_url,username', 'lovelace,10.0.0.9:8080,ada'],
    ['10.0.0.9:8080,ada,lovelace', ''],
  ] as const)('%s', async ([header, line]) => {
    expect(await load('csv', `${header}\n${line}\n`)).toMatchObject({ loaded: 1, failed: 0 })
    const expected = { username: 'ada', password: 'lovelace', source: 'import' }
    expect(await pool.get(proxyKey('http://10.0.0.9:8080'))).toMatchObject(expected)
  })

  it.for([
    ['address,port,login,secret\n10.0.0.9,8080,ada,lovelace\nhttp://10.0.0.9:8080,ada,lovelace', 3],
    ['10.0.0.9,8080,ada,lovelace', 1],
    ['url,username,password,source\n10.0.0.9:8080,ada,love,lace,mine', 1],
    ['protocol,ip,port\nsocks5,10.0.0.9,1080', 1],
    ['ip,port\n10.0.0.9,80800', 1],
  ] as const)('nothing is guessed: %s', async ([text, failed]) => {
    expect(await load('csv', text)).toMatchObject({ loaded: 0, failed })
    expect(await pool.size()).toBe(0)
  })

  it('the hint names the columns that are known', async () => {
    const { failures } = await load('csv', 'address,secret\n')
    for (const name of ['url', 'host', 'ip', 'port', 'username', 'password', 'source', 'ttl_seconds'])
      expect(failures[0]?.reason).toContain(`\`${name}\``)
  })
})

describe('hostile files', () => {
  it('a line of 10 MB is skipped unread, and the next one is loaded', async () => {
    const report = await load('txt', `${'x'.repeat(10_000_000)}\nhttp://a:1\n`, 65_536)
    expect(report).toMatchObject({
      loaded: 1,
      failed: 1,
      failures: [{ line: 1, reason: expect.stringContaining('longer') as string }],
    })
  })

  it('bytes that are no text fail line by line', async () => {
    // No letters among them, which would be a host, and a line every fifty bytes.
    const noise = randomBytes(20_000).map((byte, i) => (i % 50 === 0 ? 10 : byte | 0x80))
    const report = await load('txt', Buffer.concat([noise, Buffer.from('\nhttp://a:1\n')]), 4096)
    expect(report.loaded).toBe(1)
  })

  it.for([
    ['64 MB of binary', 0, 0],
    ['many lines', 5_000, 100_000],
  ] as const)('%s go through a heap of 64 MB, in memory that does not grow', async ([file, loaded, failed]) => {
    const report = await imported(file, join(dataDir, 'hostile'), 200_000)
    expect(report.loaded).toBe(loaded)
    expect(report.failed).toBeGreaterThanOrEqual(failed)
    expect(report.firstFailure?.line).toBeGreaterThan(0)
    expect(report.laterMb).toBeLessThan(50)
  })

  it('failures are counted without end, and the first thousand are kept', async () => {
    const report = await load(
      'txt',
      'ftp://x:1?\n'
        .replace('?', '')
        .repeat(3)
        .concat(Array.from({ length: 5000 }, (_, i) => `ftp://h:${i}\n`).join('')),
      65_536,
    )
    expect(report.failed).toBe(5003)
    expect(report.failures).toHaveLength(1000)
  })

  it('lines come out the same however the bytes were cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 20 }).map((it_) => it_.replaceAll(/[\r\n]/g, ''))),
        fc.integer({ min: 1, max: 9 }),
        async (lines, size) => {
          const out: (string | undefined)[] = []
          for await (const { text } of linesOf(chunked(`${lines.join('\n')}\n`, size))) out.push(text)
          expect(out).toEqual(lines.length === 0 ? [''] : lines)
        },
      ),
    )
    expect(LINE_BYTES_MAX).toBe(65_536)
  })

  it('fields of a line of CSV', () => {
    expect(csvFields('a,"b ""c"", d",,e')).toEqual(['a', 'b "c", d', '', 'e'])
    expect(() => csvFields('"a" b')).toThrow('comma')
    expect(() => csvFields('"a')).toThrow('end')
  })
})

describe('shards of the older program', () => {
  const row = (url: string, more: object = {}): string =>
    JSON.stringify({
      key: 'k',
      proxy_url: url,
      source: 's',
      fetch_time: '2026-01-01T00:00:00+00:00',
      expires_at: '2099-01-01T00:00:00+00:00',
      ttl_seconds: 0,
      ...more,
    })

  it('are taken over: the newest copy counts, the rest is counted with its place [proxies 40]', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shards-'))
    const older = row('http://a:1', { source: 'old', fetch_time: '2025-01-01T00:00:00+00:00' })
    const expired = row('http://e:1', { expires_at: '2020-01-01T00:00:00+00:00' })
    writeFileSync(join(folder, 'shard_00.jsonl'), `${row('http://a:1')}\n5\n[1]\n{"broken\n${expired}\n`)
    writeFileSync(
      join(folder, 'shard_03.jsonl'),
      `${older}\n${row('http://b:1', { fetch_time: '2026-01-01T00:00:00' })}\n${row('http://c:1', { username_encrypted: 'abcd' })}\n`,
    )
    writeFileSync(join(folder, 'notes.txt'), 'x')
    const dry = await migrateShards(pool, folder, { dryRun: true })
    expect([dry.migrated, await pool.size()]).toEqual([1, 0])
    const report = await migrateShards(pool, folder)
    expect([report.migrated, report.skipped, report.failed]).toEqual([1, 2, 5])
    expect(report.failures.map(({ shard, line }) => `${shard}:${line}`)).toEqual([
      'shard_00.jsonl:2',
      'shard_00.jsonl:3',
      'shard_00.jsonl:4',
      'shard_03.jsonl:2',
      'shard_03.jsonl:3',
    ])
    expect(report.failures.at(-1)?.reason).toContain('decryptor')
    expect(await pool.get(proxyKey('http://a:1'))).toMatchObject({ source: 's' })
    const decrypt = (bytes: Uint8Array): string => `opened ${Buffer.from(bytes).toString('hex')}`
    await migrateShards(pool, folder, { decrypt })
    expect(await pool.get(proxyKey('http://c:1'))).toMatchObject({ username: 'opened abcd' })
    rmSync(folder, { recursive: true })
  })
})
