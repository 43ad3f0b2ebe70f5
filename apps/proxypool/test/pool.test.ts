import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyring, type Keyring } from 'tidemark/seal'
import { FakeClock } from 'tidemark/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ProxyPool } from '../src/pool/pool.ts'

let dataDir: string
let keys: Keyring
let clock: FakeClock
let down: Set<string>
let pool: ProxyPool

const open = (): ProxyPool =>
  new ProxyPool({
    dataDir,
    keyring: keys,
    clock,
    ttlBySource: { scraped: 3600 },
    check: async (proxy) => ({ ok: !down.has(proxy.url), responseMs: proxy.url.length }),
  })

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'proxypool-'))
  keys = keyring({ active: 'a', keys: { a: randomBytes(32) } })
  clock = new FakeClock()
  down = new Set()
  pool = open()
})

afterEach(async () => {
  await pool.close()
  rmSync(dataDir, { recursive: true })
})

it('a proxy comes back with its credentials, from memory, from the file, and after a restart', async () => {
  const key = await pool.add({ url: 'http://Ada:l%3Avelace@Example.org:3128', source: 'list' })
  expect(key).toMatch(/^[0-9a-f]{16}$/)
  const expected = {
    url: 'http://example.org:3128',
    username: 'Ada',
    password: 'l:velace',
    source: 'list',
    ttlSeconds: 0,
  }
  expect(await pool.get(key)).toMatchObject(expected)
  await pool.close()
  pool = open()
  expect(await pool.get(key)).toMatchObject(expected)
  expect(await pool.size()).toBe(1)
})

it('credentials are in no file', async () => {
  await pool.add({ url: 'http://alice-in-clear:hunter2-in-clear@10.0.0.7:3128' })
  await clock.advance('1s')
  await pool.close()
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((it) => it.isFile())
  expect(files.length).toBeGreaterThan(1)
  for (const file of files) {
    const bytes = readFileSync(join(file.parentPath, file.name)).toString('latin1')
    expect(bytes).not.toContain('alice-in-clear')
    expect(bytes).not.toContain('hunter2-in-clear')
  }
  pool = open()
})

it('a pool without a keyring is not opened', () => {
  const make = (): ProxyPool =>
    new ProxyPool({ dataDir, keyring: undefined as never, check: async () => ({ ok: true }) })
  expect(make).toThrow(expect.objectContaining({ code: 'keyring-required' }))
})

it('what is shown holds no credentials', async () => {
  const key = await pool.add({ url: 'http://a:secret@10.0.0.7:1' })
  const view = await pool.view(key)
  expect(view).toMatchObject({ url: 'http://10.0.0.7:1', hasCredentials: true })
  expect(JSON.stringify(view)).not.toContain('secret')
})

it('a source has a time to live of its own; a time without a zone is refused', async () => {
  const [scraped, kept] = [await pool.add({ url: 'a:1', source: 'scraped' }), await pool.add({ url: 'b:1' })]
  await clock.advance('59m')
  expect(await pool.get(scraped)).toBeDefined()
  await clock.advance('1m')
  expect([await pool.get(scraped), await pool.get(kept)]).toEqual([undefined, expect.anything()])
  await expect(pool.add({ url: 'c:1', fetchedAt: '2026-01-01T00:00:00' })).rejects.toThrow('zone')
  await expect(pool.add({ url: 'c:1', ttlSeconds: -1 })).rejects.toThrow('ttlSeconds')
})

describe('next', () => {
  it('gives healthy ones only: a dead one is out within an interval', async () => {
    const [a, b] = [await pool.add({ url: 'a:1' }), await pool.add({ url: 'b:1' })]
    await clock.advance('1s')
    const chosen = new Set([(await pool.next())?.key, (await pool.next())?.key])
    expect(chosen).toEqual(new Set([a, b]))
    down.add('http://a:1')
    // One turn of the clock at a time, asked in between: a list that is kept for long would still hold it.
    for (let i = 0; i < 300; i++) {
      await clock.advance('1s')
      await pool.next()
    }
    expect(new Set([(await pool.next())?.key, (await pool.next())?.key])).toEqual(new Set([b]))
    expect((await pool.view(a))?.status).toBe('degraded')
    expect(pool.counts).toMatchObject({ healthy: 1, degraded: 1 })
    down.clear()
    await clock.advance('301s')
    expect(new Set([(await pool.next())?.key, (await pool.next())?.key])).toEqual(new Set([a, b]))
    expect(pool.counts).toMatchObject({ healthy: 2, degraded: 0 })
  })

  it('by least latency, in turn, or by chance', async () => {
    const short = await pool.add({ url: 'a:1' })
    await pool.add({ url: 'longer.example.org:1' })
    await clock.advance('1s')
    for (let i = 0; i < 3; i++) expect((await pool.next('least-latency'))?.key).toBe(short)
    const turns = [(await pool.next())?.key, (await pool.next())?.key]
    expect(new Set(turns).size).toBe(2)
    const random = await Promise.all(Array.from({ length: 60 }, async () => (await pool.next('random'))?.key))
    expect(new Set(random).size).toBe(2)
  })

  it('three failed uses in a row remove a proxy from every tier', async () => {
    const key = await pool.add({ url: 'a:1' })
    await clock.advance('1s')
    expect([await pool.reportFailure(key), await pool.reportFailure(key), await pool.reportFailure(key)]).toEqual([
      false,
      false,
      true,
    ])
    expect([await pool.next(), await pool.get(key), await pool.size()]).toEqual([undefined, undefined, 0])
  })
})

it('removing a source removes its proxies and no others', async () => {
  await pool.add({ url: 'a:1', source: 'x' })
  await pool.add({ url: 'b:1', source: 'y' })
  await pool.removeSource('x')
  expect(await pool.size()).toBe(1)
})
