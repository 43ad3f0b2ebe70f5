// The cache by itself: what each operation promises.

import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from 'tidemark/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ProjectStatusCache } from '../src/cache/cache.ts'
import { vendorRow, workItemRow } from './rows.ts'

let folder: string
let clock: FakeClock
let cache: ProjectStatusCache

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'projectstatus-cache-'))
  clock = new FakeClock()
  cache = await new ProjectStatusCache({ path: join(folder, 'cache.db'), clock }).open()
})

afterEach(async () => {
  await cache.close()
  rmSync(folder, { recursive: true })
})

it('keeps whole rows, and gives them back as they came', async () => {
  const acme = vendorRow('Acme')
  const item = workItemRow({ notes: 'a note' })
  await cache.setVendor('Acme', acme)
  await cache.setWorkItem(item.id, item)
  expect(await cache.getVendor('Acme')).toEqual(acme)
  expect(await cache.getWorkItem(item.id.toUpperCase())).toEqual(item)
  expect(await cache.getVendor('Other')).toBeUndefined()
  expect(await cache.getWorkItem(randomUUID())).toBeUndefined()
})

it('is there after it was closed and opened again', async () => {
  const acme = vendorRow('Acme')
  await cache.setVendor('Acme', acme)
  await cache.close()
  await cache.open()
  expect(await cache.getVendor('acme')).toEqual(acme)
})

it('isStale goes by the age, and takes names with colons', async () => {
  await cache.setVendor('a:b:c', vendorRow('a:b:c'))
  const item = workItemRow()
  await cache.setWorkItem(item.id, item)
  expect([await cache.isStale('vendor:A:B:C'), await cache.isStale(`work_item:${item.id}`)]).toEqual([false, false])
  await clock.jump('29m')
  expect(await cache.isStale('vendor:a:b:c')).toBe(false)
  await clock.jump('1m')
  expect([await cache.isStale('vendor:a:b:c'), await cache.isStale(`work_item:${item.id}`)]).toEqual([true, true])
  expect(await cache.isStale('vendor:missing')).toBe(true)
})

it.for(['', 'vendor', 'vendor:', 'work_item:', 'work_item:7', 'project:x', ':x', `vendor:${'x'.repeat(101)}`])(
  'isStale refuses the key %j',
  async (key) => {
    await expect(cache.isStale(key)).rejects.toThrow(RangeError)
  },
)

it('clearStale removes what is older than its time and counts it; clearAll the rest', async () => {
  await cache.setVendor('old', vendorRow('old'))
  const item = workItemRow()
  await cache.setWorkItem(item.id, item)
  await clock.jump('31m')
  await cache.setVendor('new', vendorRow('new'))
  expect(await cache.clearStale()).toBe(2)
  expect(await cache.clearStale()).toBe(0)
  expect([await cache.getVendor('old'), (await cache.getVendor('new'))?.name]).toEqual([undefined, 'new'])
  expect(await cache.clearAll()).toBe(1)
  expect(await cache.clearAll()).toBe(0)
  expect(await cache.getVendor('new')).toBeUndefined()
})

it('a row that is set while the stale ones are cleared stays', async () => {
  for (let i = 0; i < 20; i++) await cache.setVendor(`v${i}`, vendorRow(`v${i}`))
  await clock.jump('31m')
  const clearing = cache.clearStale()
  const setting = Array.from({ length: 20 }, (_, i) => cache.setVendor(`v${i}`, vendorRow(`v${i}`, { version: 2 })))
  await Promise.all([clearing, ...setting])
  for (let i = 0; i < 20; i++) expect((await cache.getVendor(`v${i}`))?.version).toBe(2)
})

it('getStats counts rows, ages, hits and misses', async () => {
  expect(await cache.getStats()).toMatchObject({ totalEntries: 0, staleEntries: 0, oldestEntryAgeSeconds: 0 })
  await cache.setVendor('a', vendorRow('a'))
  await clock.jump('31m')
  const [live, deleted] = [workItemRow(), workItemRow({ deleted_at: new Date() })]
  await cache.setWorkItem(live.id, live)
  await cache.setWorkItem(deleted.id, deleted)
  await cache.getVendor('a')
  await cache.getVendor('b')
  await clock.jump('9s')
  expect(await cache.getStats()).toEqual({
    totalEntries: 3,
    staleEntries: 1,
    vendorsCached: 1,
    workItemsCached: 1,
    oldestEntryAgeSeconds: 31 * 60 + 9,
    hits: 1,
    misses: 1,
    fallbacks: 0,
  })
})

it('says so when it is not open yet, or closed', async () => {
  const other = new ProjectStatusCache({ path: join(folder, 'other.db') })
  await expect(other.getVendor('a')).rejects.toThrow(/not open yet/)
  await other.open()
  await other.close()
  await other.close()
  const item = workItemRow()
  for (const use of [
    () => other.getVendor('a'),
    () => other.setVendor('a', vendorRow('a')),
    () => other.getWorkItem(randomUUID()),
    () => other.setWorkItem(item.id, item),
    () => other.isStale('vendor:a'),
    () => other.clearStale(),
    () => other.clearAll(),
    () => other.getStats(),
    () => other.readVendor('a'),
  ])
    await expect(use()).rejects.toThrow(/was closed/)
})

it('`await using` closes it', async () => {
  let seen: ProjectStatusCache
  {
    await using scoped = await new ProjectStatusCache({ path: ':memory:' }).open()
    await scoped.setVendor('a', vendorRow('a'))
    seen = scoped
  }
  await expect(seen.getVendor('a')).rejects.toThrow(/was closed/)
})

describe('lifetimes', () => {
  it('each kind has one of its own', async () => {
    await using own = await new ProjectStatusCache({
      path: ':memory:',
      clock,
      ttl: { vendors: '1m', workItems: '1h' },
    }).open()
    const item = workItemRow()
    await own.setVendor('a', vendorRow('a'))
    await own.setWorkItem(item.id, item)
    await clock.jump('2m')
    expect([await own.isStale('vendor:a'), await own.isStale(`work_item:${item.id}`)]).toEqual([true, false])
  })
})
