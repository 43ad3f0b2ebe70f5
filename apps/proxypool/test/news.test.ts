// What the pool tells of its proxies, what it counts, and what a strange clock or strange proxies do to it.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import type { Duration, TidemarkEvent } from 'tidemark'
import { keyring, type Keyring } from 'tidemark/seal'
import { FakeClock } from 'tidemark/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PoolNews } from '../src/pool/news.ts'
import { ProxyPool } from '../src/pool/pool.ts'

let dataDir: string
let keys: Keyring
let down: Set<string>
const pools: ProxyPool[] = []

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'proxypool-'))
  keys = keyring({ active: 'a', keys: { a: randomBytes(32) } })
  down = new Set()
})

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close()
  rmSync(dataDir, { recursive: true })
})

type Check = ConstructorParameters<typeof ProxyPool>[0]['check']

function open(
  clock: FakeClock,
  check: Check = async ({ url }) => ({ ok: !down.has(url), error: 'refused' }),
  more: { readonly dataDir?: string; readonly every?: Duration } = {},
): ProxyPool {
  const pool = new ProxyPool({ dataDir, keyring: keys, clock, check, ...more })
  pools.push(pool)
  return pool
}

describe('news', () => {
  it('a proxy goes down, comes back, and is given up; the pool is degraded, and is not', async () => {
    const clock = new FakeClock()
    const pool = open(clock)
    const told: PoolNews[] = []
    pool.on((news) => told.push(news))
    const key = await pool.add({ url: 'a:1' })
    await clock.advance('1s')
    expect(told).toEqual([])
    down.add('http://a:1')
    await clock.advance('20m')
    expect(told.map(({ type }) => type)).toEqual(['proxy.down', 'pool.degraded'])
    expect(told[0]).toMatchObject({ key, error: 'refused', at: expect.any(Number) })
    down.clear()
    await clock.advance('20m')
    expect(told.slice(2).map(({ type }) => type)).toEqual(['proxy.recovered', 'pool.recovered'])
    down.add('http://a:1')
    await clock.advance('5h')
    const last = told.slice(4).map(({ type }) => type)
    expect(last.filter((type) => type === 'proxy.down')).toHaveLength(1)
    expect(last).toContain('proxy.dead')
    expect(pool.recentNews).toEqual(told)
    expect(await pool.get(key)).toBeUndefined()
  })

  it('degraded below half, and over only from 60 %', async () => {
    const clock = new FakeClock()
    const pool = open(clock, undefined, { every: '1m' })
    for (let i = 0; i < 10; i++) await pool.add({ url: `h${i}:1` })
    await clock.advance('1s')
    const told: string[] = []
    pool.on((news) => void (news.type.startsWith('pool.') ? told.push(news.type) : 0))
    for (let i = 0; i < 5; i++) down.add(`http://h${i}:1`)
    await clock.advance('4m')
    expect([told, pool.counts.healthy, pool.isDegraded]).toEqual([[], 5, false])
    down.add('http://h5:1')
    await clock.advance('4m')
    expect([told, pool.counts.healthy, pool.isDegraded]).toEqual([['pool.degraded'], 4, true])
    down.delete('http://h5:1')
    await clock.advance('5m')
    expect([told, pool.counts.healthy, pool.isDegraded]).toEqual([['pool.degraded'], 5, true])
    for (let i = 0; i < 5; i++) down.delete(`http://h${i}:1`)
    await clock.advance('1h')
    expect([told, pool.counts.healthy]).toEqual([['pool.degraded', 'pool.recovered'], 10])
  })
})

it('only legal transitions, counts that sum up, whatever is done to a pool and its proxies', async () => {
  const legal: Readonly<Record<string, readonly string[]>> = {
    unknown: ['checking'],
    checking: ['healthy', 'unhealthy'],
    healthy: ['unhealthy'],
    unhealthy: ['recovering'],
    recovering: ['healthy', 'unhealthy', 'dead'],
    dead: [],
  }
  const urls = ['a:1', 'b:1', 'c:1', 'd:1']
  let runs = 0
  const step = fc.oneof(
    fc.record({ what: fc.constantFrom('add', 'remove', 'down', 'up', 'report'), url: fc.constantFrom(...urls) }),
    fc.record({ what: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ what: fc.constant('jump' as const), minutes: fc.integer({ min: 60, max: 5_000 }) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      down = new Set()
      const clock = new FakeClock()
      const pool = open(clock, undefined, { dataDir: join(dataDir, `${runs++}`) })
      const changes: Extract<TidemarkEvent, { type: 'health' }>[] = []
      pool.tide.on('event', (event) => void (event.type === 'health' ? changes.push(event) : 0))
      const keyOf = new Map<string, string>()
      for (const it_ of steps) {
        if (it_.what === 'wait') await clock.advance(it_.minutes * 60_000)
        else if (it_.what === 'jump') await clock.jump(it_.minutes * 60_000)
        else {
          const key = keyOf.get(it_.url)
          if (it_.what === 'add') keyOf.set(it_.url, await pool.add({ url: it_.url }))
          else if (it_.what === 'down') down.add(`http://${it_.url}`)
          else if (it_.what === 'up') down.delete(`http://${it_.url}`)
          else if (key !== undefined && it_.what === 'remove') await pool.remove(key)
          else if (key !== undefined) await pool.reportFailure(key)
        }
        const counted = Object.values(pool.counts).reduce((sum, n) => sum + n, 0)
        expect(counted).toBeLessThanOrEqual(urls.length)
      }
      await clock.advance('1s')
      for (const { from, to } of changes) expect(legal[from], `${from} to ${to}`).toContain(to)
      expect(Object.values(pool.counts).reduce((sum, n) => sum + n, 0)).toBe(await pool.size())
      await pool.close()
    }),
    { numRuns: 12 },
  )
}, 60_000)

describe('many checks', () => {
  it('a thousand due at once: at most a hundred at a time, all within the interval', async () => {
    const clock = new FakeClock()
    let [running, most] = [0, 0]
    const checked = new Map<string, number>()
    const pool = open(clock, async ({ url }) => {
      most = Math.max(most, ++running)
      checked.set(url, (checked.get(url) ?? 0) + 1)
      await new Promise<void>((resolve) => void clock.schedule(1_000, resolve))
      running--
      return { ok: true }
    })
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => pool.add({ url: `10.0.${i >> 8}.${i & 255}:3128` })))
    await clock.advance('30s')
    expect([most, checked.size, pool.counts.healthy]).toEqual([100, 1_000, 1_000])
    expect([...checked.values()].every((times) => times === 1)).toBe(true)
  })

  it('proxies that never answer hold up the others for no longer than their timeout', async () => {
    const clock = new FakeClock()
    const pool = open(clock, ({ url }) =>
      url.startsWith('http://silent') ? new Promise(() => {}) : Promise.resolve({ ok: true }),
    )
    await Promise.all(Array.from({ length: 300 }, (_, i) => pool.add({ url: `silent${i}:1` })))
    const good = await pool.add({ url: 'good:1' })
    // Three hundred fill the hundred places three times, ten seconds each.
    await clock.advance('31s')
    expect((await pool.view(good))?.health?.state).toBe('healthy')
    expect((await pool.next())?.key).toBe(good)
    await clock.advance('20m')
    expect(pool.counts).toMatchObject({ healthy: 1 })
    expect(pool.counts.unhealthy + pool.counts.recovering).toBe(300)
  })
})

describe('a clock that jumps', () => {
  it('forward by a day: every proxy is checked once for it, not once for every interval that was missed', async () => {
    const clock = new FakeClock()
    let checks = 0
    const pool = open(clock, async () => ({ ok: ++checks > 0 }))
    for (let i = 0; i < 20; i++) await pool.add({ url: `h${i}:1` })
    await clock.advance('1s')
    expect(checks).toBe(20)
    await clock.jump('1d')
    await clock.advance('1s')
    expect(checks).toBe(40)
    expect(pool.counts).toMatchObject({ healthy: 20 })
  })

  it('back by a day between two runs: the proxies are there, and are checked now, not in a day', async () => {
    const later = new FakeClock(new FakeClock().now() + 86_400_000)
    const first = open(later)
    const key = await first.add({ url: 'a:1' })
    await later.advance('6m')
    await first.close()
    const clock = new FakeClock()
    let checks = 0
    const pool = open(clock, async () => ({ ok: ++checks > 0 }))
    await pool.ready
    await clock.advance('1s')
    expect(await pool.get(key)).toMatchObject({ url: 'http://a:1' })
    expect(checks).toBe(1)
    await clock.advance('330s')
    expect(checks).toBe(2)
  })
})

describe('uses', () => {
  it('are counted, survive a restart, and go with their proxy', async () => {
    const clock = new FakeClock()
    const pool = open(clock)
    const key = await pool.add({ url: 'a:1' })
    await clock.advance('1s')
    expect(await pool.view(key)).toMatchObject({ accessCount: 0, lastAccessed: undefined })
    for (let i = 0; i < 3; i++) await pool.next()
    const lastAccessed = new Date(clock.now()).toISOString()
    expect(await pool.view(key)).toMatchObject({ accessCount: 3, lastAccessed })
    await clock.advance('10s')
    await pool.next()
    await pool.close()
    const again = open(clock)
    await again.ready
    expect(await again.view(key)).toMatchObject({ accessCount: 4 })
    await again.remove(key)
    await again.add({ url: 'a:1' })
    expect(await again.view(key)).toMatchObject({ accessCount: 0 })
  })
})
