import {
  CompiledQuery,
  Kysely,
  PGliteDialect,
  PostgresAdapter,
  PostgresDialect,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely'
import type { PGlite } from '@electric-sql/pglite'
import type { Pool } from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { isTidemarkError, type WriteHook } from 'tidemark'
import { watchWrites } from 'tidemark/kysely'
import { eachPostgres, plainTables, type Database } from '../source/postgres.ts'
import { writeScenarios, type Writer } from './scenarios.ts'

interface Tables {
  topics: { id: number; x?: number }
  tasks: { id: number; x?: number }
}

const dialectOf = ({ client }: Database): Dialect =>
  'exec' in client
    ? new PGliteDialect({ pglite: client as unknown as PGlite })
    : new PostgresDialect({ pool: client as unknown as Pool })

function writerOver(db: Kysely<Tables>): Writer {
  return {
    insert: (table, id) => db.insertInto(table).values({ id }).execute(),
    update: (id) => db.updateTable('topics').set({ x: 7 }).where('id', '=', id).execute(),
    remove: (id) => db.deleteFrom('topics').where('id', '=', id).execute(),
    transaction: (work) =>
      db.isTransaction ? nested(db, work) : db.transaction().execute((trx) => work(writerOver(trx))),
  }
}

/** Savepoints are a controlled transaction's; here by hand, which the watcher must follow as well. */
async function nested(db: Kysely<Tables>, work: (inside: Writer) => Promise<void>): Promise<void> {
  await sql`savepoint inner_one`.execute(db)
  await work(writerOver(db)).catch(async (error: unknown) => {
    await sql`rollback to savepoint inner_one`.execute(db)
    throw error
  })
}

await eachPostgres((database) => {
  const kyselyFor = (hook: Pick<WriteHook, 'committed'>): Kysely<Tables> =>
    new Kysely<Tables>({ dialect: watchWrites(dialectOf(database), hook) })

  writeScenarios(() => ({
    writerFor: (hook) => writerOver(kyselyFor(hook)),
    visible: async () => {
      const [row] = await database.rows('select (select count(*) from topics) + (select count(*) from tasks) as n')
      return Number(row?.['n'])
    },
    clear: async () => {
      await plainTables(database, 'topics', 'tasks')
      await database.run('alter table topics add primary key (id)')
    },
  }))

  describe('statements', () => {
    const told: string[][] = []
    let db: Kysely<Tables>
    beforeAll(() => {
      db = kyselyFor({ committed: async (tables) => void told.push([...tables]) })
    })
    const toldOf = async (work: () => Promise<unknown>): Promise<string[][]> => {
      told.length = 0
      await plainTables(database, 'topics', 'tasks')
      await database.run('alter table topics add primary key (id); insert into topics values (1)')
      await work()
      return told
    }

    it('with aliases, schemas, conflicts, and writes in a with clause', async () => {
      const schema = database.schema
      expect(await toldOf(() => db.withSchema(schema).insertInto('topics').values({ id: 5 }).execute())).toEqual([
        [`${schema}.topics`],
      ])
      expect(await toldOf(() => db.updateTable('topics as t').set({ x: 1 }).execute())).toEqual([['topics']])
      expect(
        await toldOf(() => db.deleteFrom('topics as t').using('tasks').whereRef('t.id', '=', 'tasks.id').execute()),
      ).toEqual([])
      const moved = db
        .with('gone', (qb) => qb.deleteFrom('topics').returning('id'))
        .insertInto('tasks')
        .columns(['id'])
        .expression((eb) => eb.selectFrom('gone').select('id'))
      expect(await toldOf(() => moved.execute())).toEqual([['tasks', 'topics']])
      const elsewhere = db
        .with('new', (qb) => qb.insertInto('tasks').values({ id: 6 }))
        .updateTable('topics')
        .set({ x: 1 })
      expect(await toldOf(() => elsewhere.where('id', '=', 99).execute())).toEqual([['tasks']])
      expect(await toldOf(() => elsewhere.execute())).toEqual([['topics', 'tasks']])
      const returned = db
        .with('new', (qb) => qb.insertInto('tasks').values({ id: 7 }).returning('id'))
        .selectFrom('new')
        .select('id')
      expect(await toldOf(() => returned.where('id', '=', 99).execute())).toEqual([['tasks']])
      const taken = db.insertInto('topics').values({ id: 1 })
      expect(await toldOf(() => taken.onConflict((it) => it.doNothing()).execute())).toEqual([])
      expect(await toldOf(() => taken.onConflict((it) => it.column('id').doUpdateSet({ x: 2 })).execute())).toEqual([
        ['topics'],
      ])
      const merge = db
        .mergeInto('topics as t')
        .using('tasks', 'tasks.id', 't.id')
        .whenNotMatched()
        .thenInsertValues({ id: 9 })
      expect(
        await toldOf(async () => (await db.insertInto('tasks').values({ id: 9 }).execute(), merge.execute())),
      ).toEqual([['tasks'], ['topics']])
    })

    it('reads and changes of nothing are not told, nor is raw SQL looked into', async () => {
      expect(await toldOf(() => db.selectFrom('topics').selectAll().execute())).toEqual([])
      expect(await toldOf(() => db.updateTable('topics').set({ x: 1 }).where('id', '=', 99).execute())).toEqual([])
      expect(await toldOf(() => sql`insert into topics values (8)`.execute(db))).toEqual([])
    })

    it('a transaction the application begins by itself, on one connection', async () => {
      const run = (end: string) => () =>
        db.connection().execute(async (one) => {
          await one.executeQuery(CompiledQuery.raw('begin'))
          await one.insertInto('topics').values({ id: 3 }).execute()
          expect(told).toEqual([])
          await one.executeQuery(CompiledQuery.raw(end))
        })
      expect(await toldOf(run('commit'))).toEqual([['topics']])
      expect(await toldOf(run('ROLLBACK'))).toEqual([])
    })

    it('a commit that turns out to be a rollback is not told', async () => {
      const work = () =>
        db.transaction().execute(async (trx) => {
          await trx.insertInto('topics').values({ id: 4 }).execute()
          await trx
            .insertInto('topics')
            .values({ id: 1 })
            .execute()
            .catch(() => {})
        })
      expect(await toldOf(() => work().catch(() => {}))).toEqual([])
    })

    it('controlled transactions with savepoints', async () => {
      const work = async (): Promise<void> => {
        const trx = await db.startTransaction().execute()
        await trx.insertInto('topics').values({ id: 4 }).execute()
        const inner = await trx.savepoint('s').execute()
        await inner.insertInto('tasks').values({ id: 4 }).execute()
        await inner.rollbackToSavepoint('s').execute()
        await trx.commit().execute()
      }
      expect(await toldOf(work)).toEqual([['topics']])
    })
  })
})

describe('streams', () => {
  const told: string[][] = []
  /** A driver whose statements bring three rows, one by one, and may fail before one of them. */
  function open(failsAt?: number): Kysely<Tables> {
    told.length = 0
    let isOpen = false
    const connection = {
      executeQuery: async () => ({ rows: [] }),
      async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
        isOpen = true
        try {
          for (let id = 0; id < 3; id++) {
            if (id === failsAt) throw new Error('refused')
            yield { rows: [{ id } as R] }
          }
        } finally {
          // The statement is committed when its cursor is closed.
          await Promise.resolve()
          isOpen = false
        }
      },
    }
    const nothing = async (): Promise<void> => {}
    const driver: Driver = {
      init: nothing,
      acquireConnection: async () => connection,
      beginTransaction: nothing,
      commitTransaction: nothing,
      rollbackTransaction: nothing,
      releaseConnection: nothing,
      destroy: nothing,
    }
    const dialect: Dialect = {
      createDriver: () => driver,
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createAdapter: () => new PostgresAdapter(),
      createIntrospector: (db) => new PostgresIntrospector(db),
    }
    const committed = async (tables: readonly string[]): Promise<void> => {
      expect(isOpen).toBe(false)
      told.push([...tables])
    }
    return new Kysely<Tables>({ dialect: watchWrites(dialect, { committed }) })
  }
  const read = async (db: Kysely<Tables>, rows = Infinity): Promise<void> => {
    let left = rows
    for await (const _ of db.deleteFrom('topics').returningAll().stream()) if (--left === 0) break
  }

  it('are told when they are over, also when the reader has had enough, or was itself what failed', async () => {
    await read(open())
    expect(told).toEqual([['topics']])
    await read(open(), 1)
    expect(told).toEqual([['topics']])
    const fails = async (): Promise<void> => {
      for await (const _ of open().deleteFrom('topics').returningAll().stream()) throw new Error('mine')
    }
    await expect(fails()).rejects.toThrow('mine')
    expect(told).toEqual([['topics']])
  })

  it('that fail at once are not told; those that fail later may have been committed', async () => {
    await expect(read(open(0))).rejects.toThrow('refused')
    expect(told).toEqual([])
    await expect(read(open(1))).rejects.toThrow('refused')
    expect(told).toEqual([['topics']])
  })

  it('of a transaction are told with it', async () => {
    await open()
      .transaction()
      .execute(async (trx) => {
        for await (const _ of trx.deleteFrom('topics').returningAll().stream()) break
        expect(told).toEqual([])
      })
    expect(told).toEqual([['topics']])
  })
})

describe('watchWrites', () => {
  it('refuses what is no dialect, and what is no hook', () => {
    const hook = { committed: async () => {} }
    for (const wrong of [
      () => watchWrites({} as never, hook),
      () => watchWrites({ createDriver: () => ({}) } as never, {} as never),
    ]) {
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
