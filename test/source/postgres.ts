// Databases for tests: real PostgreSQL, each file in schemas of its own, and PGlite, which is PostgreSQL in the process.

import { PGlite } from '@electric-sql/pglite'
import { Client, Pool } from 'pg'
import postgresJs from 'postgres'
import { afterAll, beforeAll, describe } from 'vitest'
import { installRevisions, removeRevisions, type PgClient } from 'tidemark/postgres'
import { requireService } from '../services.ts'

/** A database under test: a place for tables of the test, and a place for what is installed. */
export interface Database {
  readonly client: PgClient
  /** The schema of the test's own tables; first in the search path. */
  readonly schema: string
  /** The schema that `installRevisions` is told. */
  readonly own: string
  /** Runs statements one after the other; each is a transaction of its own unless they say otherwise. */
  readonly run: (sql: string) => Promise<void>
  readonly rows: (sql: string) => Promise<Record<string, unknown>[]>
}

/** Real PostgreSQL: connections besides the pool, for transactions that overlap. */
export interface RealDatabase extends Database {
  readonly pool: Pool
  readonly url: string
  readonly connect: () => Promise<Client>
}

const unique = (): string => `tm_${process.pid}_${Math.random().toString(36).slice(2, 8)}`

/** Defines tests over PostgreSQL and over PGlite. */
export async function eachPostgres(define: (database: Database) => void): Promise<void> {
  await onPostgres(define)
  describe('PGlite', () => {
    const database = { schema: unique(), own: unique() } as Database & { client: PGlite }
    beforeAll(async () => {
      const lite = await PGlite.create()
      Object.assign(database, {
        client: lite,
        run: async (sql: string) => void (await lite.exec(sql)),
        rows: async (sql: string) => (await lite.query(sql)).rows,
      })
      await database.run(`create schema ${database.schema}; set search_path = ${database.schema}`)
    }, 60_000)
    afterAll(() => database.client.close())
    define(database)
  })
}

/** Defines tests over every client that can be handed in: those of {@link eachPostgres}, and postgres.js. */
export async function eachClient(define: (database: Database) => void): Promise<void> {
  await eachPostgres(define)
  await requireService('postgres', (url) => {
    describe('PostgreSQL through postgres.js', () => {
      // The test's own statements go through `pg`: this client takes no transaction in a text.
      const real = realDatabase(url)
      const client = postgresJs(url, { connection: { search_path: real.schema }, onnotice: () => {}, max: 10 })
      beforeAll(() => real.run(`create schema ${real.schema}`))
      afterAll(async () => {
        await removeRevisions(client, { schema: real.own })
        await client.end()
        await real.run(`drop schema ${real.schema} cascade`)
        await real.pool.end()
      })
      define({ ...real, client })
    })
  })
}

/** Defines tests that need connections of their own, over PostgreSQL. */
export async function onPostgres(define: (database: RealDatabase) => void): Promise<void> {
  await requireService('postgres', (url) => {
    describe('PostgreSQL', () => {
      const database = realDatabase(url)
      beforeAll(async () => database.run(`create schema ${database.schema}`))
      afterAll(async () => {
        await removeRevisions(database.client, { schema: database.own })
        await database.run(`drop schema ${database.schema} cascade`)
        await database.pool.end()
      })
      define(database)
    })
  })
}

/** A database whose connections find the tables of the test first. */
export function realDatabase(url: string, schema: string = unique()): RealDatabase {
  const own = `${schema}_own`
  const options = { connectionString: url, options: `-c search_path=${schema}` }
  const pool = new Pool({ ...options, max: 10 })
  return {
    client: pool,
    pool,
    url,
    schema,
    own,
    run: async (sql) => void (await pool.query(sql)),
    rows: async (sql) => (await pool.query<Record<string, unknown>>(sql)).rows,
    connect: async () => {
      const client = new Client(options)
      await client.connect()
      return client
    },
  }
}

/** Makes empty tables (id, x, updated_at) with triggers. */
export async function withTables(database: Database, ...tables: string[]): Promise<void> {
  await plainTables(database, ...tables)
  await installRevisions(database.client, { tables, schema: database.own })
}

/** Makes empty tables (id, x, updated_at) without triggers. */
export async function plainTables({ run }: Database, ...tables: string[]): Promise<void> {
  for (const table of tables) {
    await run(`drop table if exists ${table} cascade`)
    await run(`create table ${table} (id int, x int default 0, updated_at timestamptz default clock_timestamp())`)
  }
}

/** Passes everything on to a client, and keeps the text of what was asked. */
export function counted(client: PgClient): { readonly client: PgClient; readonly asked: string[] } {
  const asked: string[] = []
  const noted = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const [text] = args as [string | { readonly text: string }]
        if (name === 'query' || name === 'unsafe') asked.push(typeof text === 'string' ? text : text.text)
        return (value as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  })
  return { client: noted, asked }
}
