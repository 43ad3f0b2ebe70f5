import { eq, sql } from 'drizzle-orm'
import { drizzle as overPg } from 'drizzle-orm/node-postgres'
import { drizzle as overPglite } from 'drizzle-orm/pglite'
import { integer, pgSchema, pgTable } from 'drizzle-orm/pg-core'
import { BetterSQLiteSession } from 'drizzle-orm/better-sqlite3/session'
import { BaseSQLiteDatabase, SQLiteSyncDialect, integer as sqliteInteger, sqliteTable } from 'drizzle-orm/sqlite-core'
import type { PGlite } from '@electric-sql/pglite'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Client, Pool } from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isTidemarkError, type WriteHook } from 'tidemark'
import { watchWrites } from 'tidemark/drizzle'
import { eachPostgres, onPostgres, plainTables, type Database } from '../source/postgres.ts'
import { writeScenarios, type Writer } from './scenarios.ts'

const topics = pgTable('topics', { id: integer(), x: integer() })
const tasks = pgTable('tasks', { id: integer(), x: integer() })
const tables = { topics, tasks }
/** The same table by its whole name. */
const ownTasks = ({ schema }: Database) => pgSchema(schema).table('tasks', { id: integer(), x: integer() })

/** What `drizzle()` of every driver for PostgreSQL has. */
type Db = Pick<
  ReturnType<typeof overPg>,
  'insert' | 'update' | 'delete' | 'select' | 'with' | '$with' | 'execute' | 'transaction' | '_'
>

const databaseOf = ({ client }: Database): Db =>
  'exec' in client ? (overPglite(client as unknown as PGlite) as unknown as Db) : overPg(client as unknown as Pool)

function writerOver(db: Db): Writer {
  return {
    insert: async (table, id) => db.insert(tables[table]).values({ id }),
    update: async (id) => db.update(topics).set({ x: 7 }).where(eq(topics.id, id)),
    remove: async (id) => db.delete(topics).where(eq(topics.id, id)),
    transaction: (work) => db.transaction((tx) => work(writerOver(tx as unknown as Db))),
  }
}

const clear = async (database: Database): Promise<void> => {
  await plainTables(database, 'topics', 'tasks')
  await database.run('alter table topics add primary key (id)')
}
const visible = async (database: Database): Promise<number> => {
  const [row] = await database.rows('select (select count(*) from topics) + (select count(*) from tasks) as n')
  return Number(row?.['n'])
}

await eachPostgres((database) => {
  writeScenarios(() => ({
    writerFor: (hook) => writerOver(watchWrites(databaseOf(database), hook)),
    visible: () => visible(database),
    clear: () => clear(database),
  }))

  it('prepared statements, returning, and raw SQL, which is not looked into', async () => {
    await clear(database)
    const told: string[][] = []
    const db = watchWrites(databaseOf(database), { committed: async (its) => void told.push([...its]) })
    const prepared = db
      .insert(topics)
      .values({ id: sql.placeholder('id') })
      .prepare('hooks_insert')
    await prepared.execute({ id: 1 })
    await prepared.execute({ id: 2 })
    expect(await db.update(topics).set({ x: 1 }).returning({ id: topics.id })).toHaveLength(2)
    expect(told).toEqual([['topics'], ['topics'], ['topics']])
    await db.execute(sql`insert into topics values (3)`)
    expect(await db.select().from(topics)).toHaveLength(3)
    expect(told).toHaveLength(3)
  })

  it('writes in a with clause, whatever the statement after it does', async () => {
    await clear(database)
    const told: string[][] = []
    const db = watchWrites(databaseOf(database), { committed: async (its) => void told.push([...its]) })
    const added = db.$with('added').as(db.insert(topics).values({ id: 1 }).returning())
    expect(await db.with(added).select().from(added)).toHaveLength(1)
    expect(told.splice(0)).toEqual([['topics']])
    const changed = db.$with('changed').as(db.update(topics).set({ x: 2 }).returning())
    await db.with(changed).insert(tasks).select(db.select().from(changed))
    expect(told.splice(0)).toEqual([['tasks', 'topics']])
    const gone = db.$with('gone').as(db.delete(ownTasks(database)).returning())
    await db.with(gone).update(topics).set({ x: 3 }).where(eq(topics.id, 99))
    expect(told.splice(0)).toEqual([['topics', `${database.schema}.tasks`]])
    const read = db.$with('read').as(db.select().from(topics))
    await db.with(read).select().from(read)
    expect(told).toEqual([])
  })
})

await onPostgres((database) => {
  describe('one client instead of a pool', () => {
    let client: Client | undefined
    writeScenarios(() => ({
      writerFor: (hook) => writerOver(watchWrites(overPg(client as Client), hook)),
      visible: () => visible(database),
      clear: async () => {
        await clear(database)
        const own = (client = await database.connect())
        onTestFinished(() => own.end())
      },
    }))
  })
})

describe('SQLite, which answers at once', () => {
  const topics = sqliteTable('topics', { id: sqliteInteger().primaryKey() })
  const tasks = sqliteTable('tasks', { id: sqliteInteger().primaryKey() })

  function open() {
    const file = new DatabaseSync(':memory:')
    onTestFinished(() => file.close())
    file.exec('create table topics (id integer primary key); create table tasks (id integer primary key)')
    const dialect = new SQLiteSyncDialect()
    const session = new BetterSQLiteSession(clientOver(file), dialect, undefined)
    const told: string[][] = []
    const hook: Pick<WriteHook, 'committed'> = { committed: async (its) => void told.push([...its]) }
    const db = watchWrites(new BaseSQLiteDatabase<'sync', unknown>('sync', dialect, session as never, undefined), hook)
    return { db, told }
  }

  it('a write, a transaction, and one that is rolled back', () => {
    const { db, told } = open()
    db.insert(topics).values({ id: 1 }).run()
    expect(told.splice(0)).toEqual([['topics']])
    db.transaction((tx) => {
      tx.insert(topics).values({ id: 2 }).run()
      tx.insert(tasks).values({ id: 2 }).run()
      expect(() =>
        tx.transaction((inner) => {
          inner.delete(tasks).run()
          throw new Error('not this one')
        }),
      ).toThrow('not this one')
      expect(told).toEqual([])
    })
    expect(told.splice(0)).toEqual([['topics', 'tasks']])
    expect(() =>
      db.transaction((tx) => {
        tx.delete(topics).run()
        throw new Error('changed my mind')
      }),
    ).toThrow('changed my mind')
    expect(() => db.insert(topics).values({ id: 1 }).run()).toThrow(/UNIQUE/)
    expect(db.select().from(topics).all()).toHaveLength(2)
    expect(told).toEqual([])
  })
})

describe('watchWrites', () => {
  it('refuses what is no database of drizzle, and what is no hook', () => {
    const hook = { committed: async () => {} }
    const db = overPg({} as Pool)
    for (const wrong of [() => watchWrites({} as never, hook), () => watchWrites(db, {} as never)]) {
      let error: unknown
      try {
        wrong()
      } catch (thrown) {
        error = thrown
      }
      expect(isTidemarkError(error, 'invalid-option')).toBe(true)
    }
  })
})

/** `node:sqlite` with the few methods of better-sqlite3 that Drizzle's session for it calls. */
function clientOver(file: DatabaseSync): never {
  return {
    prepare: (text: string) => {
      const statement = file.prepare(text)
      const own = {
        run: (...values: SQLInputValue[]) => statement.run(...values),
        all: (...values: SQLInputValue[]) => statement.all(...values),
        get: (...values: SQLInputValue[]) => statement.get(...values),
        raw: () => {
          const rows = file.prepare(text)
          rows.setReturnArrays(true)
          return {
            all: (...values: SQLInputValue[]) => rows.all(...values),
            get: (...values: SQLInputValue[]) => rows.get(...values),
          }
        },
      }
      return own
    },
    transaction: (work: (...args: unknown[]) => unknown) => {
      const run = (...args: unknown[]): unknown => {
        file.exec('begin')
        try {
          const result = work(...args)
          file.exec('commit')
          return result
        } catch (error) {
          file.exec('rollback')
          throw error
        }
      }
      return Object.assign(run, { deferred: run, immediate: run, exclusive: run })
    },
  } as never
}
