import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { proxyTo } from '../../../test/outage/proxy.ts'
import { requireService } from '../../../test/services.ts'
import { databaseFrom, migrate, openDatabase, type Database, type Migration } from '../src/index.ts'

const STEPS: readonly Migration[] = [
  { title: 'rows', statements: ['create table rows (id int primary key, day date, at timestamptz, n bigint)'] },
  { title: 'words', statements: ["alter table rows add word text not null default 'none'"] },
]
const schema = `database_${process.pid}_${Math.random().toString(36).slice(2, 8)}`
const folder = mkdtempSync(join(tmpdir(), 'tidemark-database-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function behaves(open: () => Promise<Database>): void {
  let database: Database
  beforeAll(async () => (database = await open()))
  afterAll(async () => {
    await database.query(`drop schema if exists ${schema} cascade`)
    await database.close()
  })

  it('makes the schema, and takes each step once', async () => {
    expect(await migrate(database, STEPS.slice(0, 1))).toBe(1)
    expect(await migrate(database, STEPS)).toBe(1)
    expect(await migrate(database, STEPS)).toBe(0)
    await expect(migrate(database, STEPS.slice(0, 1))).rejects.toThrow(/later version \(2\)/)
  })

  it('gives the same rows, whatever the database is', async () => {
    const values = [1, '2026-02-03', '2026-02-03T04:05:06Z', 7]
    await database.query('insert into rows values ($1, $2, $3, $4)', values)
    const [row] = await database.query('select *, 1.50::numeric as price from rows')
    const at = new Date('2026-02-03T04:05:06Z')
    expect(row).toEqual({ id: 1, day: '2026-02-03', at, n: 7, word: 'none', price: '1.50' })
    expect(await database.query("select current_setting('timezone') as zone")).toEqual([{ zone: 'UTC' }])
  })

  it('commits a transaction, and rolls back one that throws', async () => {
    await database.transaction(async ({ query }) => void (await query('insert into rows (id) values (2)')))
    const failing = database.transaction(async ({ query }) => {
      await query('insert into rows (id) values (3)')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await database.query('select id from rows order by id')).toEqual([{ id: 1 }, { id: 2 }])
  })
}

await requireService('postgres', (url) => {
  describe('a server', () => {
    behaves(() => openDatabase({ schema, url }))

    it('cancels a statement that takes too long, and goes on', async () => {
      await using limited = await openDatabase({ schema, url, timeoutMs: 200 })
      await expect(limited.query('select pg_sleep(20)')).rejects.toMatchObject({ code: '57014' })
      expect(await limited.query('select 1 as one')).toEqual([{ one: 1 }])
    })

    it('gives up a server that does not answer at all, also where it had answered before', async () => {
      const { proxy, url: through } = await proxyTo(url)
      await using limited = await openDatabase({ schema, url: through, timeoutMs: 200 })
      expect(await limited.query('select 1 as one')).toEqual([{ one: 1 }])
      proxy.hang()
      await expect(limited.query('select 1')).rejects.toThrow('Query read timeout')
      await expect(limited.query('select 1')).rejects.toThrow(/timeout/)
      await proxy.open()
      expect(await limited.query('select 1 as one')).toEqual([{ one: 1 }])
    })

    it('is made ready by several processes at once', async () => {
      const own = `${schema}_many`
      const databases = await Promise.all(Array.from({ length: 8 }, () => openDatabase({ schema: own, url })))
      try {
        const taken = await Promise.all(databases.map((it) => migrate(it, STEPS)))
        expect(taken.reduce((sum, it) => sum + it, 0)).toBe(STEPS.length)
      } finally {
        await databases[0]?.query(`drop schema ${own} cascade`)
        await Promise.all(databases.map((it) => it.close()))
      }
    })
  })
})

describe('an embedded one', () => {
  behaves(() => openDatabase({ schema }))

  it('keeps its data in a folder, and belongs to one process at a time', async () => {
    const options = databaseFrom({ DATA_DIR: folder }, 'kept')
    const first = await openDatabase(options)
    await migrate(first, STEPS)
    await first.query('insert into rows (id) values (9)')
    await expect(openDatabase(options)).rejects.toThrow(/Another process has the embedded database/)
    await first.close()
    await using again = await openDatabase(options)
    expect(await again.query('select id from rows')).toEqual([{ id: 9 }])
  })
})

describe('the environment', () => {
  it('names a server, a schema and a folder', () => {
    const url = 'postgres://someone@db.example/hub'
    expect(databaseFrom({ DATABASE_URL: url, DB_SCHEMA: 'other' }, 'statehub')).toMatchObject({ url, schema: 'other' })
    expect(databaseFrom({ DATA_DIR: '/srv' }, 'statehub')).toEqual({
      schema: 'statehub',
      url: undefined,
      dataDir: '/srv/statehub.pglite',
    })
  })

  it.each(['Hub', 'pg_hub', 'a b', '1a', 'x'.repeat(41)])('refuses the schema %j', async (name) => {
    expect(() => databaseFrom({ DB_SCHEMA: name }, 'statehub')).toThrow(/DB_SCHEMA/)
    await expect(openDatabase({ schema: name })).rejects.toThrow(RangeError)
  })

  it('does not repeat an address that may hold a password', () => {
    expect(() => databaseFrom({ DATABASE_URL: 'mysql://root:hunter2@db' }, 'statehub')).toThrow(
      /^Expected DATABASE_URL to be like postgres:\/\/user@host:5432\/database\.$/,
    )
  })
})
