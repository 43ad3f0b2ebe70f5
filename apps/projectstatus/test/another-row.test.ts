// Names that come to name another row, and names that only look alike: what an outage answers is what was answered before it.

import { openDatabase, type Database } from '@tidemark/database'
import { FakeClock } from 'tidemark/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { requireService } from '../../../test/services.ts'
import { ProjectStatusCache } from '../src/cache/cache.ts'
import { ProjectDatabase } from '../src/database/project-database.ts'
import { openPlace, type Place } from './place.ts'
import { vendorRow } from './rows.ts'
import { TableSource } from './table-source.ts'

describe('a name that was deleted and given again', () => {
  const old = vendorRow('acme', { version: 2, extractor_version: 'old' })
  const made = vendorRow('acme', { extractor_version: 'new' })
  const opened = async (): Promise<{ cache: ProjectStatusCache; source: TableSource; clock: FakeClock }> => {
    const [clock, source] = [new FakeClock(), new TableSource()]
    source.has(old, vendorRow('other'))
    const cache = await new ProjectStatusCache({ path: ':memory:', clock, source }).open()
    return { cache, source, clock }
  }
  const filled = async (cache: ProjectStatusCache, version: string): Promise<void> => {
    await expect.poll(async () => (await cache.getVendor('acme'))?.extractor_version).toBe(version)
  }

  it('is the new row in an outage, by itself and in a list from before', async () => {
    const { cache, source, clock } = await opened()
    await using _ = cache
    await cache.readVendors()
    await filled(cache, 'old')
    await clock.advance('1s')
    source.has(made)
    await cache.readVendor('acme')
    source.refuse()
    expect((await cache.readVendor('acme')).value).toEqual(made)
    expect((await cache.readVendors()).value[0]).toEqual(made)
  })

  it('is the new row in a list that has it, whatever was read before', async () => {
    const { cache, source, clock } = await opened()
    await using _ = cache
    await cache.readVendor('acme')
    await clock.advance('1s')
    source.has(made)
    await cache.readVendors()
    source.refuse()
    expect((await cache.readVendors()).value[0]).toEqual(made)
    await filled(cache, 'new')
    expect((await cache.readVendors()).value[0]).toEqual(made)
  })

  it('is the new row when it was read while a list from before was on its way', async () => {
    const { cache, source, clock } = await opened()
    await using _ = cache
    const rows = [old, vendorRow('zebra')]
    const gate = Promise.withResolvers<void>()
    let isAsked = false
    source.vendors = async () => {
      isAsked = true
      await gate.promise
      return rows
    }
    const list = cache.readVendors()
    await expect.poll(() => isAsked).toBe(true)
    await clock.advance('100ms')
    source.has(made)
    await cache.readVendor('acme')
    gate.resolve()
    await list
    await expect.poll(() => cache.getVendor('zebra')).toBeDefined()
    expect(await cache.getVendor('acme')).toEqual(made)
  })
})

describe('a row that is found to be gone', () => {
  it('is not in the list of an outage, until the database has it again; also after a restart', async () => {
    await using place = await openPlace({ isDemo: true })
    const names = async (): Promise<string[]> =>
      (await place.ask('GET', '/vendors')).body.vendors.map((it: { name: string }) => it.name)
    const outage = (kind: string): Promise<unknown> => place.ask('POST', '/demo/outage', { kind })
    await place.ask('GET', '/vendors')
    for (const name of ['acme', 'other']) await insert(place.database, name)
    expect(await names()).toEqual(['acme', 'other'])
    await place.database.query("delete from vendor_extractors where name = 'acme'")
    expect((await place.ask('GET', '/vendors/ACME')).status).toBe(404)
    await outage('refuse')
    expect(await names()).toEqual(['other'])
    await place.reopen()
    await outage('refuse')
    expect(await names()).toEqual(['other'])
    await place.reopen()
    await insert(place.database, 'acme')
    expect((await place.ask('GET', '/vendors/acme')).status).toBe(200)
    await outage('refuse')
    expect(await names()).toEqual(['acme', 'other'])
  })

  it('is not noted when nobody knew of it', async () => {
    const source = new TableSource()
    await using cache = await new ProjectStatusCache({ path: ':memory:', source }).open()
    for (let i = 0; i < 5; i++) await expect(cache.readVendor(`nobody ${i}`)).rejects.toThrow(/no vendor/)
    expect(await cache.clearAll()).toBe(0)
  })
})

function looksAlike(open: () => Promise<Database>): void {
  let database: Database
  let place: Place
  beforeAll(async () => {
    database = await open()
    await new ProjectDatabase(database).ready()
  }, 120_000)
  afterAll(async () => {
    await database.query(`drop schema ${database.schema} cascade`)
    await database.close()
  })
  beforeEach(() => database.script('truncate vendor_extractors'))

  it('is answered in an outage as it was before', async () => {
    place = await openPlace({ database, isDemo: true })
    await using _ = place
    // The Kelvin sign, a capital outside ASCII, one with a dot that has two small forms.
    for (const name of ['École', '\u212Aelvin', 'İzmir', 'Acme']) await insert(database, name)
    const asked = ['École', 'éCOLE', 'ÉCOLE', 'Kelvin', '\u212AELVIN', 'İzmir', 'izmir', 'İZMIR', 'ACME']
    const answers = async (): Promise<unknown[]> =>
      Promise.all(
        asked.map(async (name) => {
          const { status, body } = await place.ask('GET', `/vendors/${encodeURIComponent(name)}`)
          return status === 200 ? body.vendor.name : 'none'
        }),
      )
    const before = await answers()
    expect(before).toEqual(['École', 'none', 'École', 'none', '\u212Aelvin', 'İzmir', 'none', 'İzmir', 'Acme'])
    await place.ask('POST', '/demo/outage', { kind: 'refuse' })
    expect(await answers()).toEqual(before)
  })
}

describe('a name that only looks like another one, embedded', () => {
  looksAlike(() => openDatabase({ schema: 'projectstatus' }))
})

await requireService('postgres', (url) => {
  describe('a name that only looks like another one, on a server', () => {
    const schema = `projectstatus_${process.pid}_${Math.random().toString(36).slice(2, 8)}`
    looksAlike(() => openDatabase({ schema, url }))
  })
})

function insert(database: Database, name: string): Promise<unknown> {
  return database.query(
    "insert into vendor_extractors (name, status, extractor_version, created_by) values ($1, 'operational', '1.0', 'tests')",
    [name],
  )
}
