// Shards of the older program: nothing that was known of a proxy is lost, and every failure has its place.

import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyring } from 'tidemark/seal'
import { FakeClock } from 'tidemark/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrateShards } from '../src/import/legacy.ts'
import { ProxyPool } from '../src/pool/pool.ts'
import { proxyKey } from '../src/proxy/address.ts'

let folder: string
let clock: FakeClock
let pool: ProxyPool
let open: () => ProxyPool
let checked: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proxypool-'))
  clock = new FakeClock()
  checked = []
  const keys = keyring({ active: 'a', keys: { a: randomBytes(32) } })
  open = () =>
    new ProxyPool({
      dataDir: join(folder, 'data'),
      keyring: keys,
      clock,
      check: async ({ url }) => ({ ok: checked.push(url) > 0 }),
    })
  pool = open()
})

afterEach(async () => {
  await pool.close()
  rmSync(folder, { recursive: true })
})

const iso = (inMs: number): string => new Date(clock.now() + inMs).toISOString()
const DAY_MS = 86_400_000

const row = (url: string, more: object = {}): object => ({
  key: 'k',
  proxy_url: url,
  source: 's',
  fetch_time: iso(-DAY_MS),
  expires_at: iso(DAY_MS),
  ttl_seconds: 2 * 86_400,
  ...more,
})

function shards(...files: readonly (readonly (object | string)[])[]): string {
  const place = join(folder, 'shards')
  mkdirSync(place, { recursive: true })
  for (const [i, rows] of files.entries())
    writeFileSync(
      join(place, `shard_0${i}.jsonl`),
      rows.map((it_) => `${typeof it_ === 'string' ? it_ : JSON.stringify(it_)}\n`).join(''),
    )
  return place
}

const migrate = (place: string, dryRun = false): ReturnType<typeof migrateShards> =>
  migrateShards(pool, place, { dryRun, now: clock.now() })

it('uses and health go on where they stopped, also after a restart [proxies 40]', async () => {
  const known = {
    access_count: 42,
    last_accessed: iso(-60_000),
    health_status: 'unhealthy',
    failure_count: 1,
    last_health_check: iso(-30_000),
    next_check_time: iso(40_000),
    last_health_error: 'refused',
    consecutive_health_failures: 3,
    consecutive_health_successes: 0,
    recovery_attempt: 2,
    total_health_checks: 99,
    total_health_check_failures: 60,
  }
  const place = shards([row('http://a:1', known), row('http://b:1', { health_status: 'degraded', access_count: 0 })])
  expect(await migrate(place)).toMatchObject({ migrated: 2, skipped: 0, failed: 0 })
  const [a, b] = [proxyKey('http://a:1'), proxyKey('http://b:1')]
  const health = {
    state: 'unhealthy',
    lastCheckAt: clock.now() - 30_000,
    nextCheckAt: clock.now() + 40_000,
    lastError: 'refused',
    failures: 3,
    successes: 0,
    recoveries: 2,
    checks: 99,
    checkFailures: 60,
    reports: 1,
  }
  const expected = { accessCount: 42, lastAccessed: known.last_accessed, status: 'unhealthy', health }
  expect(await pool.view(a)).toMatchObject(expected)
  expect(await pool.view(b)).toMatchObject({ accessCount: 0, lastAccessed: undefined, status: 'degraded' })
  await pool.close()
  pool = open()
  await pool.ready
  checked = []
  expect(await pool.view(a)).toMatchObject(expected)
  await clock.advance('39s')
  expect(checked).not.toContain('http://a:1')
  await clock.advance('2s')
  expect(checked).toContain('http://a:1')
  expect((await pool.view(a))?.health).toMatchObject({ checks: 100, checkFailures: 60 })
})

it('taken over a second time it is the same', async () => {
  const place = shards([row('http://a:1', { access_count: 7, last_accessed: iso(-1_000) })])
  await migrate(place)
  await migrate(place)
  expect(await pool.view(proxyKey('http://a:1'))).toMatchObject({ accessCount: 7 })
})

it('a dry run finds what the run finds, each with its shard and line', async () => {
  const wrong = [
    row('http://alice:secret@10.0.0.1:1/path'),
    row('http://alice:secret@10.0.0.2:99999'),
    row('http://a:1', { ttl_seconds: 'ten' }),
    row('http://a:1', { source: 5 }),
    row('http://a:1', { access_count: -1 }),
    row('http://a:1', { health_status: 'fine' }),
    row('http://a:1', { last_accessed: '2026-01-01T00:00:00' }),
    row('http://a:1', { next_check_time: 5 }),
    '{"proxy_url":',
    row('http://a:1', { password_encrypted: 'ab' }),
  ]
  const place = shards(['', ...wrong], [row('http://b:1')])
  const dry = await migrate(place, true)
  expect(await pool.size()).toBe(0)
  expect(await migrate(place)).toEqual(dry)
  expect([dry.migrated, dry.skipped, dry.failed]).toEqual([1, 0, wrong.length])
  expect(dry.failures.map(({ shard, line }) => `${shard}:${line}`)).toEqual(
    wrong.map((_, i) => `shard_00.jsonl:${i + 2}`),
  )
})

it('one proxy by several names is one: the copy that was fetched last', async () => {
  const older = row('HTTP://B.example:80', { source: 'older', fetch_time: iso(-2 * DAY_MS), ttl_seconds: 4 * 86_400 })
  const place = shards([older, row('b.example:80', { source: 'newer' })])
  expect(await migrate(place)).toMatchObject({ migrated: 1, skipped: 1, failed: 0 })
  expect(await pool.get(proxyKey('http://b.example:80'))).toMatchObject({ source: 'newer' })
})

it('a row past its end is skipped, by either of its two ends; one without a time to live has that of its end', async () => {
  const place = shards([
    row('http://a:1', { expires_at: iso(-1) }),
    row('http://b:1', { ttl_seconds: 60 }),
    row('http://c:1', { ttl_seconds: null }),
  ])
  expect(await migrate(place, true)).toMatchObject({ migrated: 1, skipped: 2, failed: 0 })
  expect(await migrate(place)).toMatchObject({ migrated: 1, skipped: 2, failed: 0 })
  await clock.advance('23h')
  expect(await pool.size()).toBe(1)
  await clock.advance('61m')
  expect(await pool.get(proxyKey('http://c:1'))).toBeUndefined()
})

it('what could not be stored has its shard and line as well', async () => {
  const place = shards(['', row('http://a:1')], [row('http://b:1')])
  const add = async ({ url }: { readonly url: string }): Promise<string> => {
    if (url.includes('b')) throw new Error('The pool answered 500.')
    return 'key'
  }
  expect(await migrateShards({ add }, place, { now: clock.now() })).toEqual({
    migrated: 1,
    skipped: 0,
    failed: 1,
    failures: [{ shard: 'shard_01.jsonl', line: 1, reason: 'The pool answered 500.' }],
  })
})
