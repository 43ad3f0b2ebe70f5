// The cache's file, read with plain SQL by somebody who knows nothing of the program.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ProjectStatusCache } from '../src/cache/cache.ts'
import { vendorRow, workItemRow } from './rows.ts'

let folder: string
let path: string
let cache: ProjectStatusCache

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'projectstatus-views-'))
  path = join(folder, 'cache.db')
  cache = await new ProjectStatusCache({ path }).open()
})

afterEach(async () => {
  await cache.close()
  rmSync(folder, { recursive: true })
})

function select<R>(sql: string): R[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db.prepare(sql).all() as R[]
  } finally {
    db.close()
  }
}

interface Cached {
  readonly data: string | null
  readonly cached_at: number
}

it('cached_vendors has the name as PostgreSQL has it, the row as JSON, and when it was cached', async () => {
  const acme = vendorRow('Acme "Ltd", Überlingen', {
    metadata: { a: [1, { b: null }], yes: true, no: false, half: 0.5, text: '{"$":1}' },
  })
  const before = Date.now()
  await cache.setVendor(acme.name, acme)
  const [row, ...others] = select<Cached & { name: string }>('SELECT * FROM cached_vendors')
  expect(others).toEqual([])
  expect(row?.name).toBe(acme.name)
  expect(JSON.parse(row?.data ?? '')).toEqual(JSON.parse(JSON.stringify(acme)))
  expect(row?.cached_at).toBeGreaterThan(before / 1000 - 5)
  expect(row?.cached_at).toBeLessThan(before / 1000 + 60)
  expect(select("SELECT data ->> '$.status' AS status FROM cached_vendors")).toEqual([{ status: 'operational' }])
})

it('cached_work_items has ids; a deleted one is not in it', async () => {
  const [live, deleted] = [
    workItemRow({ description: 'line\nbreak \\ "quote"' }),
    workItemRow({ deleted_at: new Date() }),
  ]
  await cache.setWorkItem(live.id, live)
  await cache.setWorkItem(deleted.id, deleted)
  const rows = select<Cached & { id: string }>('SELECT * FROM cached_work_items')
  expect(rows.map(({ id }) => id)).toEqual([live.id])
  expect(JSON.parse(rows[0]?.data ?? '')).toEqual(JSON.parse(JSON.stringify(live)))
})

it('times keep their milliseconds, before 1970 and far from now', async () => {
  const times = ['1969-12-31T23:59:59.999Z', '2026-01-02T03:04:05.001Z', '2199-12-31T23:59:59.059Z']
  for (const [i, time] of times.entries())
    await cache.setVendor(`v${i}`, vendorRow(`v${i}`, { updated_at: new Date(time) }))
  const rows = select("SELECT data ->> '$.updated_at' AS at FROM cached_vendors ORDER BY name")
  expect(rows).toEqual(times.map((at) => ({ at })))
})

it('they are in the order of age by an index', async () => {
  for (const view of ['cached_vendors', 'cached_work_items', 'cache_metadata']) {
    const column = view === 'cache_metadata' ? 'updated_at' : 'cached_at'
    for (const sql of [
      `SELECT * FROM ${view} ORDER BY ${column} DESC LIMIT 5`,
      `SELECT count(*) FROM ${view} WHERE ${column} < 5.5`,
    ]) {
      const plan = select<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).map(({ detail }) => detail)
      expect(plan.join('; '), sql).toMatch(/INDEX cached_by_age/)
      expect(plan.join('; '), sql).not.toContain('TEMP B-TREE')
    }
  }
})

it('they cannot be written', () => {
  const db = new DatabaseSync(path)
  try {
    expect(() => db.exec("INSERT INTO cached_vendors VALUES ('x', '{}', 0)")).toThrow(/view/)
    expect(() => db.exec('DELETE FROM cached_work_items')).toThrow(/view/)
  } finally {
    db.close()
  }
})

it('what was cleared is gone from them; what is set again is there', async () => {
  await cache.setVendor('a', vendorRow('a'))
  await cache.clearAll()
  expect(select('SELECT name FROM cached_vendors')).toEqual([])
  await cache.setVendor('b', vendorRow('b'))
  expect(select('SELECT name FROM cached_vendors')).toEqual([{ name: 'b' }])
})

it('a large row is compressed: it is there with no data, and is read as it was', async () => {
  const large = workItemRow({ notes: 'all work and no play. '.repeat(10_000) })
  await cache.setWorkItem(large.id, large)
  const [row] = select<Cached & { id: string }>('SELECT * FROM cached_work_items')
  expect(row).toMatchObject({ id: large.id, data: null })
  const [{ bytes }] = select<{ bytes: number }>('SELECT sum(length(value)) AS bytes FROM entries') as [
    { bytes: number },
  ]
  expect(bytes).toBeLessThan(10_000)
  // From the file, past the memory of this process.
  await cache.close()
  await cache.open()
  expect(await cache.getWorkItem(large.id)).toEqual(large)
})

it('a file that took the place of another has them too', async () => {
  await cache.close()
  writeFileSync(path, 'this is no database, and was one before'.repeat(100))
  await cache.open()
  await cache.setVendor('a', vendorRow('a'))
  await expect.poll(() => select('SELECT name FROM cached_vendors')).toEqual([{ name: 'a' }])
  await cache.close()
  rmSync(path)
  await cache.open()
  await cache.setVendor('b', vendorRow('b'))
  expect(select('SELECT name FROM cached_vendors')).toEqual([{ name: 'b' }])
})

it('removed or damaged while in use: they come back with the new file', async () => {
  await cache.setVendor('a', vendorRow('a'))
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
  const names = async (): Promise<unknown> => {
    await cache.setVendor('b', vendorRow('b'))
    try {
      return select('SELECT name FROM cached_vendors')
    } catch (error) {
      return (error as Error).message
    }
  }
  await expect.poll(names, { timeout: 15_000, interval: 100 }).toEqual([{ name: 'b' }])
})

it('views of an older program are replaced', async () => {
  await cache.setVendor('a', vendorRow('a'))
  await cache.close()
  const db = new DatabaseSync(path)
  db.exec("DROP VIEW cached_vendors; CREATE VIEW cached_vendors AS SELECT 'old' AS name")
  db.close()
  await cache.open()
  expect(select('SELECT name FROM cached_vendors')).toEqual([{ name: 'a' }])
})

it.for(['../README.md', '../../../docs/tiers/sqlite.md'])('the statements of %s are understood', async (page) => {
  await cache.setVendor('a', vendorRow('a'))
  const text = readFileSync(new URL(page, import.meta.url), 'utf8')
  const statements = [...text.matchAll(/```sql\n([^`]*)```/g)].flatMap(([, block = '']) => block.split(';\n'))
  const found = statements.filter((it_) => it_.trim() !== '').map((sql) => select(sql))
  expect(found.length).toBeGreaterThan(0)
  expect(JSON.stringify(found)).toContain('operational')
})
