// What the program this one follows got wrong in its cache, one by one.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isTidemarkError } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ProjectStatusCache } from '../src/cache/cache.ts'
import { CacheReadError } from '../src/cache/errors.ts'
import type { CacheOptions } from '../src/cache/options.ts'
import { vendorRow, workItemRow } from './rows.ts'
import { TableSource } from './table-source.ts'

let folder: string
let path: string
let clock: FakeClock
let source: TableSource
let cache: ProjectStatusCache

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'projectstatus-defects-'))
  path = join(folder, 'cache.db')
  clock = new FakeClock()
  source = new TableSource()
  cache = await open()
})

afterEach(async () => {
  await cache.close()
  rmSync(folder, { recursive: true, force: true })
})

const open = (options: CacheOptions = {}): Promise<ProjectStatusCache> =>
  new ProjectStatusCache({ path, clock, source, ...options }).open()

/** Another program at the same file. */
function inFile<T>(work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path)
  try {
    return work(db)
  } finally {
    db.close()
  }
}

it('defects of the offline fallback, corrupt JSON: is no value, is stale, and is not counted', async () => {
  await cache.setVendor('acme', vendorRow('acme'))
  await cache.setVendor('other', vendorRow('other'))
  await cache.close()
  inFile((db) => db.exec(`UPDATE entries SET value = '{"version": 1, "name": "ac' WHERE key = 'acme'`))
  await cache.open()
  expect(await cache.getStats()).toMatchObject({ totalEntries: 1, vendorsCached: 1, staleEntries: 0 })
  expect(await cache.isStale('vendor:acme')).toBe(true)
  expect(await cache.getVendor('acme')).toBeUndefined()
  expect((await cache.getVendor('other'))?.name).toBe('other')
})

it('defects of the offline fallback, corrupt JSON that is still JSON: is no value either', async () => {
  await cache.setVendor('acme', vendorRow('acme'))
  await cache.close()
  inFile((db) => db.exec(`UPDATE entries SET value = replace(value, 'operational', 'broken') WHERE key = 'acme'`))
  await cache.open()
  expect(await cache.isStale('vendor:acme')).toBe(true)
  expect(await cache.getVendor('acme')).toBeUndefined()
})

it('defects of the offline fallback, clock set back: nothing becomes immortal, and the statistics add up', async () => {
  await cache.setVendor('acme', vendorRow('acme'))
  await cache.close()
  clock = new FakeClock(clock.now() - 2 * 3_600_000)
  cache = await open()
  expect(await cache.isStale('vendor:acme')).toBe(true)
  expect(await cache.getStats()).toMatchObject({ totalEntries: 1, staleEntries: 1, oldestEntryAgeSeconds: 0 })
  source.refuse()
  expect(await cache.readVendor('acme')).toMatchObject({ value: { name: 'acme' }, warning: 'last-resort' })
  expect(await cache.clearStale()).toBe(1)
})

it('defects of the offline fallback, older version: never takes the place of a newer one', async () => {
  const acme = vendorRow('acme', { version: 5 })
  await cache.setVendor('acme', acme)
  const refused: unknown = await cache.setVendor('acme', { ...acme, version: 2 }).catch((error) => error)
  expect(isTidemarkError(refused, 'older-version')).toBe(true)
  expect((await cache.getVendor('acme'))?.version).toBe(5)
  // Nor when a replica that lags behind says so, one by one or in a list.
  source.has({ ...acme, version: 3 })
  expect((await cache.readVendor('acme')).value.version).toBe(3)
  await cache.readVendors()
  await cache.clearStale()
  expect((await cache.getVendor('acme'))?.version).toBe(5)
  await cache.setVendor('acme', { ...acme, version: 6 })
  expect((await cache.getVendor('acme'))?.version).toBe(6)
})

it('defects of the offline fallback, case of names: is that of PostgreSQL, which has none', async () => {
  await cache.setVendor('Acme', vendorRow('Acme'))
  await cache.setVendor('ACME', vendorRow('Acme', { version: 2 }))
  expect((await cache.getVendor('aCMe'))?.version).toBe(2)
  expect(await cache.isStale('vendor:acme')).toBe(false)
  expect(await cache.getStats()).toMatchObject({ vendorsCached: 1 })
  source.refuse()
  expect((await cache.readVendor('ACME')).value).toMatchObject({ name: 'Acme', version: 2 })
})

it('defects of the offline fallback, locked file: reads answer at once, a write waits without holding anything up', async () => {
  await cache.setVendor('acme', vendorRow('acme'))
  await cache.close()
  await using real = await new ProjectStatusCache({ path, source }).open()
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  let isWritten = false
  try {
    const writing = real.setVendor('new', vendorRow('new')).then(() => (isWritten = true))
    let beats = 0
    const beating = setInterval(() => beats++, 5)
    expect((await real.getVendor('acme'))?.name).toBe('acme')
    await expect.poll(() => beats).toBeGreaterThan(10)
    clearInterval(beating)
    expect(isWritten).toBe(false)
    other.exec('ROLLBACK')
    await writing
  } finally {
    other.close()
  }
  expect(inFile((db) => db.prepare('SELECT name FROM cached_vendors ORDER BY name').all())).toEqual([
    { name: 'acme' },
    { name: 'new' },
  ])
})

it('defects of the offline fallback, corrupt file: is moved aside, and a new one is begun', async () => {
  await cache.setVendor('acme', vendorRow('acme'))
  await cache.close()
  writeFileSync(path, 'no database at all '.repeat(1_000))
  await cache.open()
  expect(await cache.getVendor('acme')).toBeUndefined()
  await cache.setVendor('acme', vendorRow('acme'))
  expect((await cache.getVendor('acme'))?.name).toBe('acme')
  expect(readdirSync(folder).filter((name) => name.includes('.corrupt-'))).toHaveLength(1)
})

it('defects of the offline fallback, opened again: also after its file was removed', async () => {
  await cache.setVendor('acme', vendorRow('acme'))
  await cache.close()
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true })
  await cache.open()
  expect(await cache.getVendor('acme')).toBeUndefined()
  await cache.setVendor('acme', vendorRow('acme'))
  await cache.close()
  await cache.open()
  expect((await cache.getVendor('acme'))?.name).toBe('acme')
})

it('defects of the offline fallback, error and miss: are told apart', async () => {
  await cache.setVendor('acme', vendorRow('acme'))
  await cache.close()
  const other = new DatabaseSync(path)
  other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; PRAGMA user_version')
  try {
    await cache.open()
    await expect(cache.getVendor('acme')).rejects.toThrow(CacheReadError)
    await expect(cache.isStale('vendor:acme')).rejects.toThrow(CacheReadError)
    // The database is there: nobody needs the file.
    source.has(vendorRow('other'))
    expect((await cache.readVendor('other')).tier).toBe('source')
  } finally {
    other.close()
  }
  await clock.advance('1m')
  expect((await cache.getVendor('acme'))?.name).toBe('acme')
  expect(await cache.getVendor('nobody')).toBeUndefined()
})

it('defects of the offline fallback, long outage: what is older than its time is the last resort, and says so', async () => {
  source.has(vendorRow('acme'))
  await cache.readVendor('acme')
  source.refuse()
  for (const [later, warning] of [
    ['14m', 'cached'],
    ['2m', 'aging'],
    ['15m', 'last-resort'],
    ['6d', 'last-resort'],
  ] as const) {
    await clock.jump(later)
    expect(await cache.readVendor('acme')).toMatchObject({ value: { name: 'acme' }, warning })
  }
  expect((await cache.getVendor('acme'))?.name).toBe('acme')
  await clock.jump('2d')
  await expect(cache.readVendor('acme')).rejects.toThrow(/ECONNREFUSED.*nothing is cached/)
})

it('defects of the offline fallback, long outage: who wants the refusal has it', async () => {
  await cache.close()
  cache = await open({ staleIfError: 0 })
  source.has(vendorRow('acme'))
  await cache.readVendor('acme')
  source.refuse()
  await clock.jump('31m')
  await expect(cache.readVendor('acme')).rejects.toThrow(/ECONNREFUSED/)
})

it('defects of the offline fallback, cleanup: what nobody may have any more leaves the file by itself', async () => {
  await cache.setVendor('acme', vendorRow('acme'))
  const rows = (): unknown => inFile((db) => db.prepare('SELECT count(*) AS n FROM cached_vendors').get())
  expect(rows()).toEqual({ n: 1 })
  await clock.jump('8d')
  await clock.advance('5s')
  await expect.poll(rows).toEqual({ n: 0 })
})

it('defects of the offline fallback, size: is bounded, and what is read stays', async () => {
  await cache.close()
  cache = await open({ maxEntries: 100 })
  for (let i = 0; i < 300; i++) {
    await cache.setVendor(`v${i}`, vendorRow(`v${i}`))
    if (i % 10 === 9) await cache.getVendor('v0')
  }
  const [{ n }] = inFile((db) => db.prepare('SELECT count(*) AS n FROM entries').all()) as [{ n: number }]
  expect(n).toBeLessThanOrEqual(100)
  expect(n).toBeGreaterThan(50)
  expect((await cache.getVendor('v0'))?.name).toBe('v0')
  expect((await cache.getVendor('v299'))?.name).toBe('v299')
})

it('defects of the offline fallback, soft-deleted: is not served as live, from wherever it is known', async () => {
  const [one, two, three] = [workItemRow(), workItemRow(), workItemRow()]
  source.hasItems(one, two, three)
  for (const { id } of [one, two, three]) await cache.readWorkItem(id)
  await cache.readWorkItems()
  // One is found deleted when it is asked for, another one by its absence from the list; the third is set.
  const deletedAt = new Date('2026-05-05')
  source.hasItems({ ...one, deleted_at: deletedAt, version: 2 })
  await expect(cache.readWorkItem(one.id)).rejects.toThrow(/no work item/)
  source.hasItems({ ...two, deleted_at: deletedAt, version: 2 })
  await cache.readWorkItems()
  await expect.poll(() => cache.getWorkItem(two.id)).toBeUndefined()
  await cache.setWorkItem(three.id, { ...three, deleted_at: deletedAt, version: 2 })
  source.refuse()
  for (const { id } of [one, two, three]) {
    expect(await cache.getWorkItem(id)).toBeUndefined()
    await expect(cache.readWorkItem(id)).rejects.toThrow(/no work item|nothing is cached/)
  }
  expect((await cache.readWorkItems()).value).toEqual([])
  // Nor does an older copy bring it back.
  await expect(cache.setWorkItem(three.id, three)).rejects.toThrow(/older/)
  expect(inFile((db) => db.prepare('SELECT id FROM cached_work_items').all())).toEqual([])
})
