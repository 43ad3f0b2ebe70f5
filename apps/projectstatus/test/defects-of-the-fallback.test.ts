// What the program this one follows got wrong in its fallback, by the number of the hole.

import { openDatabase, type Database } from '@tidemark/database'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TidemarkEvent } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { ProjectStatusCache } from '../src/cache/cache.ts'
import { ProjectDatabase } from '../src/database/project-database.ts'
import { openPlace, type Place } from './place.ts'
import { vendorRow, workItemRow } from './rows.ts'
import { TableSource } from './table-source.ts'

let database: Database
beforeAll(async () => {
  database = await openDatabase({ schema: 'projectstatus' })
  await new ProjectDatabase(database).ready()
}, 120_000)
afterAll(() => database.close())

beforeEach(async () => {
  await database.script('truncate vendor_extractors, work_items, deployment_events')
  for (const name of ['Acme', 'Borealis']) {
    await database.query(
      "insert into vendor_extractors (name, status, extractor_version, created_by) values ($1, 'operational', '1.0', 'tests')",
      [name],
    )
  }
})

/** A service over it that can be switched off. */
const open = (): Promise<Place> => openPlace({ database, isDemo: true })
const switchOff = (place: Place): Promise<unknown> => place.ask('POST', '/demo/outage', { kind: 'refuse' })

function inFile(place: Place, sql: string): unknown[] {
  const db = new DatabaseSync(place.path, { readOnly: true })
  try {
    return db.prepare(sql).all()
  } finally {
    db.close()
  }
}

it('defects of the offline fallback, (1): cache and fallback are one, and one file', async () => {
  await using place = await open()
  const { cache } = place.service
  await cache.setVendor('Cassini', vendorRow('Cassini'))
  await place.ask('GET', '/vendors/acme')
  await switchOff(place)
  for (const name of ['Acme', 'Cassini']) {
    expect((await place.ask('GET', `/vendors/${name}`)).body).toMatchObject({ vendor: { name }, data_source: 'cache' })
    expect((await cache.getVendor(name))?.name).toBe(name)
  }
  expect(inFile(place, 'SELECT name FROM cached_vendors ORDER BY name')).toEqual([
    { name: 'Acme' },
    { name: 'Cassini' },
  ])
})

it('defects of the offline fallback, (2): what PostgreSQL answers fills the cache, one by one and in lists', async () => {
  await using place = await open()
  await place.ask('GET', '/vendors/acme')
  expect(await place.service.cache.getStats()).toMatchObject({ vendorsCached: 1 })
  await place.ask('GET', '/status')
  await expect.poll(async () => (await place.service.cache.getStats()).vendorsCached, { timeout: 20_000 }).toBe(2)
})

it('defects of the offline fallback, (3): when PostgreSQL is back, what was read last is loaded anew, and that is told', async () => {
  const clock = new FakeClock()
  const source = new TableSource()
  source.has(vendorRow('acme'), vendorRow('borealis'))
  const events: TidemarkEvent[] = []
  await using cache = await new ProjectStatusCache({
    ...{ path: ':memory:', clock, source },
    onEvent: (event) => events.push(event),
  }).open()
  for (const name of ['acme', 'borealis']) await cache.readVendor(name)
  source.refuse()
  for (let i = 0; i < 3; i++) await cache.readVendor('acme')
  expect(cache.source.state).toBe('open')
  source.failure = undefined
  source.has(vendorRow('acme', { version: 2 }), vendorRow('borealis', { version: 2 }))
  await clock.advance('10s')
  expect(events.findLast(({ type }) => type === 'warm-up')).toMatchObject({ done: 2, total: 2 })
  // Nobody has read since.
  for (const name of ['acme', 'borealis']) expect((await cache.getVendor(name))?.version).toBe(2)
})

it('defects of the offline fallback, (4): every row has a key of its own', async () => {
  await using place = await open()
  for (const name of ['acme', 'borealis']) {
    const { body } = await place.ask('PATCH', `/vendors/${name}`, {
      expected_version: 1,
      extractor_version: `2-${name}`,
    })
    expect(body.vendor.extractor_version).toBe(`2-${name}`)
  }
  const item = workItemRow()
  await place.service.cache.setWorkItem(item.id, item)
  await switchOff(place)
  for (const name of ['acme', 'borealis'])
    expect((await place.ask('GET', `/vendors/${name}`)).body.vendor.extractor_version).toBe(`2-${name}`)
  const keys = inFile(
    place,
    "SELECT key FROM entries WHERE name IN (SELECT id FROM names WHERE name IN ('vendors', 'work_items'))",
  )
  expect(keys).toHaveLength(3)
  expect(JSON.stringify(keys)).not.toContain('unknown')
  await expect(place.service.cache.setVendor('acme', vendorRow('borealis'))).rejects.toThrow(/that of borealis/)
})

it('defects of the offline fallback, (5): PostgreSQL is the truth; what it took is in the cache as well, also where its file was locked', async () => {
  await using place = await open()
  await place.ask('GET', '/vendors/acme')
  const other = new DatabaseSync(place.path)
  other.exec('BEGIN IMMEDIATE')
  try {
    const writing = place.ask('PATCH', '/vendors/acme', { expected_version: 1, status: 'broken' })
    await expect
      .poll(async () => (await database.query('select version from vendor_extractors where version = 2')).length)
      .toBe(1)
    other.exec('ROLLBACK')
    expect((await writing).status).toBe(200)
  } finally {
    other.close()
  }
  await switchOff(place)
  expect((await place.ask('GET', '/vendors/acme')).body.vendor).toMatchObject({ status: 'broken', version: 2 })
  // And one it did not take is not in the cache.
  expect((await place.ask('PATCH', '/vendors/acme', { expected_version: 2, status: 'operational' })).status).toBe(503)
  expect((await place.ask('GET', '/vendors/acme')).body.vendor).toMatchObject({ status: 'broken', version: 2 })
})

it('defects of the offline fallback, (6): whatever a row holds is kept as it is', async () => {
  await using place = await open()
  const metadata = {
    id: crypto.randomUUID(),
    big: 2n ** 80n,
    at: new Date(5),
    bytes: Buffer.from('x'),
    set: new Set([1]),
  } as never
  await place.service.cache.setVendor('x', vendorRow('x', { metadata }))
  await place.reopen()
  expect((await place.service.cache.getVendor('x'))?.metadata).toEqual(metadata)
})

it('defects of the offline fallback, (7): a query that hangs is waited for as long as the budget, and no longer', async () => {
  const clock = new FakeClock()
  const source = new TableSource()
  source.has(vendorRow('acme'))
  await using cache = await new ProjectStatusCache({ path: ':memory:', clock, source }).open()
  await cache.readVendor('acme')
  source.gate = new Promise(() => {})
  source.asked = 0
  const cached = cache.readVendor('acme')
  const unknown = cache.readVendor('borealis').catch((error: unknown) => error)
  await expect.poll(() => source.asked).toBe(2)
  await clock.advance('250ms')
  expect(await cached).toMatchObject({ reason: 'source-slow', value: { name: 'acme' } })
  await clock.advance('1750ms')
  expect(await unknown).toMatchObject({ code: 'source-unavailable' })
})

it('defects of the offline fallback, (8): a connection that is refused is an outage like any other', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  await using gone = await openDatabase({ schema: 'projectstatus', url: `postgres://nobody@127.0.0.1:${port}/none` })
  await using place = await openPlace({ database: gone })
  await place.service.cache.setVendor('acme', vendorRow('acme'))
  expect((await place.ask('GET', '/vendors/acme')).body).toMatchObject({
    vendor: { name: 'acme' },
    data_source: 'cache',
    warnings: ['using_fallback_cache', 'database_unavailable'],
  })
  expect((await place.ask('GET', '/vendors/other')).body.error.message).toContain('ECONNREFUSED')
  expect((await place.ask('GET', '/health')).body.database).toMatchObject({ state: 'down' })
})

it('defects of the offline fallback, (9): vendors are found by what they are asked for by, their name', async () => {
  await using place = await open()
  await place.ask('GET', '/vendors/acme')
  await place.ask('GET', '/vendors/borealis')
  await switchOff(place)
  expect((await place.ask('GET', '/vendors/ACME')).body.vendor.name).toBe('Acme')
  expect((await place.ask('GET', '/vendors/borealis')).body.vendor.name).toBe('Borealis')
})

it('defects of the offline fallback, (10): no text can break out, because nothing is written into text; an outage leaves no file', async () => {
  await using place = await open()
  const item = workItemRow()
  await database.query(
    `insert into work_items (id, title, item_type, path, created_by) values ($1, 'One', 'task', '/', 'tests')`,
    [item.id],
  )
  const notes = '--> <!-- FALLBACK_WRITE {"id": 1} --> </script><b>'
  const { body } = await place.ask('PATCH', `/work-items/${item.id}`, { expected_version: 1, notes })
  expect(body.work_item.notes).toBe(notes)
  const files = (): string[] => readdirSync(dirname(place.path)).filter((name) => !name.startsWith('cache.db'))
  await switchOff(place)
  expect((await place.ask('PATCH', `/work-items/${item.id}`, { expected_version: 2, notes: 'x' })).status).toBe(503)
  expect((await place.ask('GET', `/work-items/${item.id}`)).body.work_item.notes).toBe(notes)
  expect(files()).toEqual([])
})

it('defects of the offline fallback, (11): a part of a row is never taken for the whole of it', async () => {
  await using place = await open()
  const { cache } = place.service
  const { metadata: _, ...part } = vendorRow('acme')
  await expect(cache.setVendor('acme', part as never)).rejects.toThrow(/without `metadata`/)
  await expect(cache.setWorkItem(crypto.randomUUID(), { status: 'active' } as never)).rejects.toThrow(/whole row/)
  expect(await cache.getVendor('acme')).toBeUndefined()
  // A write of one field caches the row as PostgreSQL has it.
  await place.ask('PATCH', '/vendors/acme', { expected_version: 1, status: 'broken' })
  const [row] = await database.query("select * from vendor_extractors where name = 'Acme'")
  expect(await cache.getVendor('acme')).toEqual(row)
})

it('defects of the offline fallback, (12): an outage is found out once, not by every call', async () => {
  const source = new TableSource()
  source.has(vendorRow('acme'))
  const clock = new FakeClock()
  await using cache = await new ProjectStatusCache({ path: ':memory:', clock, source }).open()
  await cache.readVendor('acme')
  source.refuse()
  source.asked = 0
  for (let i = 0; i < 500; i++) expect((await cache.readVendor('acme')).tier).toBe('memory')
  expect(source.asked).toBe(3)
  await expect(cache.write(async () => source.ping())).rejects.toThrow(/nothing is queued/)
  expect(source.asked).toBe(3)
})
