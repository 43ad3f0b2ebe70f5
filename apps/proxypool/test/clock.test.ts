// A wall clock that is set while the pool runs. Only real timers show it: a clock that is handed in has no wall behind it.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyring } from 'tidemark/seal'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ProxyPool } from '../src/pool/pool.ts'

// Before anything that may keep the function is loaded.
const wall = vi.hoisted(() => {
  const now = Date.now.bind(Date)
  const it = { now, aheadMs: 0 }
  vi.spyOn(Date, 'now').mockImplementation(() => now() + it.aheadMs)
  return it
})

const HOUR_MS = 3_600_000
let dataDir: string
let checks: number
let isDown: boolean
let pool: ProxyPool

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'proxypool-'))
  checks = 0
  isDown = false
  pool = new ProxyPool({
    dataDir,
    keyring: keyring({ active: 'a', keys: { a: randomBytes(32) } }),
    every: '50ms',
    check: async () => ({ ok: ++checks > 0 && !isDown }),
  })
})

afterEach(async () => {
  wall.aheadMs = 0
  await pool.close()
  rmSync(dataDir, { recursive: true })
})

it.for([-24, -1, 2, 24])('set by %d hours: checks go on, and what goes bad is out of next', async (hours) => {
  const key = await pool.add({ url: 'a:1' })
  await expect.poll(async () => (await pool.next())?.key).toBe(key)
  wall.aheadMs = hours * HOUR_MS
  const before = checks
  await expect.poll(() => checks).toBeGreaterThan(before + 3)
  isDown = true
  await expect.poll(() => pool.next()).toBeUndefined()
})

it.for([-24, 2, 24])(
  'set by %d hours: a proxy is there for the hour it counts, and was used when it was',
  async (hours) => {
    const key = await pool.add({ url: 'a:1', ttlSeconds: 3600 })
    await expect.poll(async () => (await pool.next())?.key).toBe(key)
    const began = wall.now()
    wall.aheadMs = hours * HOUR_MS
    await pool.next()
    expect(await pool.get(key)).toMatchObject({ url: 'http://a:1' })
    expect(await pool.size()).toBe(1)
    const lastAccessed = Date.parse((await pool.view(key))?.lastAccessed ?? '')
    expect(Math.abs(lastAccessed - began)).toBeLessThan(HOUR_MS / 2)
  },
)
