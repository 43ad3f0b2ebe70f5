import { CompiledQuery, Kysely, PGliteDialect, PostgresDialect, sql, type Dialect } from 'kysely'
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
