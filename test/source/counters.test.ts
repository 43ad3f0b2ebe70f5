// What triggers tell: every committed change, as soon as it is committed, and nothing else.

import { describe, expect, it } from 'vitest'
import { isTidemarkError } from 'tidemark'
import { installRevisions, pgRevision, renewRevisions, type PgClient, type PgRevision } from 'tidemark/postgres'
import { readRevisions } from '../../src/source/read-revisions.ts'
import { counted, eachClient, onPostgres, withTables } from './postgres.ts'

const { signal } = new AbortController()
const tell = async (...revisions: PgRevision[]): Promise<readonly string[]> =>
  (await readRevisions(revisions, signal)).revisions

/** Tells whether the work is seen by the very next read after it. */
async function isSeen(revision: PgRevision, work: () => Promise<unknown>): Promise<boolean> {
  const [before] = await tell(revision)
  const [again] = await tell(revision)
  expect(again, 'nothing was written').toBe(before)
  await work()
  const [after] = await tell(revision)
  return after !== before
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

/** Waits for what the clock of this machine brings. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10))
}

await eachClient((database) => {
  const run = (sql: string): Promise<void> => database.run(sql)
  const revisionOf = (tables: string[], client: PgClient = database.client): PgRevision =>
    pgRevision(tables, { client, schema: database.own })

  for (const mode of ['counters', 'snapshot'] as const) {
    describe(mode, () => {
      const fresh = async (): Promise<PgRevision> => {
        await withTables(database, 'topics')
        await installRevisions(database.client, { tables: ['topics'], mode, schema: database.own })
        await run('insert into topics select i from generate_series(1, 10) i')
        return pgRevision(['topics'], { client: database.client, schema: database.own, mode })
      }

      it('an insert, an update, a delete, a bulk update and a truncate are each seen', async () => {
        const revision = await fresh()
        expect(await isSeen(revision, () => run('insert into topics values (11)'))).toBe(true)
        expect(await isSeen(revision, () => run('update topics set x = 1 where id = 1'))).toBe(true)
        expect(await isSeen(revision, () => run('delete from topics where id = 2'))).toBe(true)
        expect(await isSeen(revision, () => run('update topics set x = x + 1'))).toBe(true)
        expect(await isSeen(revision, () => run('truncate topics'))).toBe(true)
        expect(
          await isSeen(revision, () =>
            run(
              'merge into topics t using (values (1)) v (id) on t.id = v.id when not matched then insert values (v.id)',
            ),
          ),
        ).toBe(true)
      })

      it('a write that is rolled back is not seen, a savepoint neither, what is around it is', async () => {
        const revision = await fresh()
        expect(await isSeen(revision, () => run('begin; delete from topics; rollback'))).toBe(false)
        const inner = 'savepoint s; update topics set x = 5; rollback to s'
        expect(await isSeen(revision, () => run(`begin; ${inner}; commit`))).toBe(false)
        expect(await isSeen(revision, () => run(`begin; ${inner}; update topics set x = 6; commit`))).toBe(true)
        expect(await isSeen(revision, () => run(`begin; update topics set x = 7; ${inner}; commit`))).toBe(true)
      })

      it('writes under repeatable read are seen', async () => {
        const revision = await fresh()
        const write = 'update topics set x = x + 1; update topics set x = x + 1'
        for (let i = 0; i < 3; i++) {
          expect(await isSeen(revision, () => run(`begin isolation level repeatable read; ${write}; commit`))).toBe(
            true,
          )
          expect(await isSeen(revision, () => run(`begin isolation level serializable; ${write}; commit`))).toBe(true)
          expect(await isSeen(revision, () => run('update topics set x = 0'))).toBe(true)
        }
      })
    })
  }

  it('tables that are not named do not count', async () => {
    await withTables(database, 'topics', 'tasks')
    expect(await isSeen(revisionOf(['topics']), () => run('insert into tasks values (1)'))).toBe(false)
    expect(await isSeen(revisionOf(['topics', 'tasks']), () => run('insert into tasks values (1)'))).toBe(true)
  })

  it('a cascade to another table is seen', async () => {
    await withTables(database, 'topics', 'tasks')
    await run('alter table topics add primary key (id)')
    await run('alter table tasks add foreign key (x) references topics on delete cascade')
    await run('insert into topics values (1); insert into tasks values (1, 1)')
    expect(await isSeen(revisionOf(['tasks']), () => run('delete from topics'))).toBe(true)
  })

  it('the revisions of all sections come in one round trip [summary 2]', async () => {
    await withTables(database, 'topics', 'tasks', 'events')
    const { client, asked } = counted(database.client)
    const sections = [
      revisionOf(['topics', 'tasks'], client),
      revisionOf(['events'], client),
      pgRevision(['tasks'], { client, mode: 'watermark' }),
    ]
    await tell(...sections)
    asked.length = 0
    await run('insert into events values (1)')
    const before = await tell(...sections)
    expect(asked).toHaveLength(1)
    await run('insert into events values (2)')
    const after = await tell(...sections)
    expect(asked).toHaveLength(2)
    expect(after.map((it, i) => it === before[i])).toEqual([true, false, true])
  })

  it('partitions: through the parent, directly, truncated, attached and detached', async () => {
    await run('drop table if exists parts cascade')
    await run('create table parts (id int, x int) partition by range (id)')
    await run('create table parts_a partition of parts for values from (0) to (10)')
    await run('create table parts_b partition of parts for values from (10) to (20) partition by range (id)')
    await run('create table parts_b1 partition of parts_b for values from (10) to (15)')
    const installed = await installRevisions(database.client, { tables: ['parts'], schema: database.own })
    expect(installed.map((it) => it.split('.')[1])).toEqual(['parts', 'parts_a', 'parts_b', 'parts_b1'])
    const revision = revisionOf(['parts'])
    expect(await isSeen(revision, () => run('insert into parts values (1), (11)'))).toBe(true)
    expect(await isSeen(revision, () => run('insert into parts_b1 values (12)'))).toBe(true)
    expect(await isSeen(revision, () => run('update parts_a set x = 1'))).toBe(true)
    expect(await isSeen(revision, () => run('truncate parts_b1'))).toBe(true)
    expect(await isSeen(revision, () => run('truncate parts'))).toBe(true)
    await run('create table parts_c (id int, x int); insert into parts_c values (21)')
    expect(
      await isSeen(revision, () => run('alter table parts attach partition parts_c for values from (20) to (30)')),
    ).toBe(true)
    expect(await isSeen(revision, () => run('insert into parts values (22)'))).toBe(true)
    expect(await isSeen(revision, () => run('alter table parts detach partition parts_c'))).toBe(true)
    expect(await isSeen(revision, () => run('drop table parts_a'))).toBe(true)
    await run('create table parts_d partition of parts for values from (0) to (10)')
    await installRevisions(database.client, { tables: ['parts'], schema: database.own })
    expect(await isSeen(revision, () => run('insert into parts_d values (3)'))).toBe(true)
  })

  it('a restore is another era, told or not', async () => {
    await withTables(database, 'topics')
    const revision = revisionOf(['topics'])
    await run('insert into topics values (1)')
    expect(await isSeen(revision, () => renewRevisions(database.client, { schema: database.own }))).toBe(true)
    // What a dump that is loaded again does: the same rows in a table that was made anew.
    const restore = `begin; set local search_path = ${database.own};
      create table copy as table tidemark_revision; drop table tidemark_revision;
      create table tidemark_revision (like copy, primary key (scope, slot));
      insert into tidemark_revision table copy; drop table copy; commit`
    expect(await isSeen(revision, () => run(restore))).toBe(true)
    expect(await isSeen(revision, () => run('insert into topics values (2)'))).toBe(true)
  })

  it('without its triggers a revision is refused, not trusted', async () => {
    await run('drop table if exists bare; create table bare (id int)')
    const error = await failure(tell(revisionOf(['bare'])))
    expect(isTidemarkError(error, 'revision-not-installed')).toBe(true)
    expect(error).toMatchObject({ data: { tables: ['bare'] }, hint: expect.stringContaining('--tables bare') })
    await installRevisions(database.client, { tables: ['bare'], schema: database.own })
    const revision = revisionOf(['bare'])
    await tell(revision)
    await run('alter table bare disable trigger user')
    // Looked for at most four times a second.
    await until(async () => isTidemarkError(await failure(tell(revision)), 'revision-not-installed'))
    expect(await installRevisions(database.client, { tables: ['bare'], schema: database.own })).toHaveLength(1)
    await tell(revision)
    await run('drop table bare; create table bare (id int)')
    await until(async () => isTidemarkError(await failure(tell(revision)), 'revision-not-installed'))
    expect(isTidemarkError(await failure(tell(revisionOf(['no_such']))), 'revision-table')).toBe(true)
    await run('create or replace view glass as select 1 as id')
    expect(isTidemarkError(await failure(tell(revisionOf(['glass']))), 'revision-table')).toBe(true)
  })

  it('names are what the database makes of them, whatever is in them', async () => {
    await run(`drop table if exists "O'Brien ""x"" \\y"; create table "O'Brien ""x"" \\y" (id int)`)
    const table = `"O'Brien ""x"" \\y"`
    await installRevisions(database.client, { tables: [table], schema: database.own })
    const revision = revisionOf([table])
    expect(await isSeen(revision, () => run(`insert into ${table} values (1)`))).toBe(true)
    const full = revisionOf([`${database.schema}.${table}`])
    expect(await tell(full)).toEqual(await tell(revision))
  })
})

await onPostgres((database) => {
  const { pool, connect, run } = database
  const revisionOf = (...tables: string[]): PgRevision => pgRevision(tables, { client: pool, schema: database.own })

  it('a transaction that commits late is seen when it commits, whatever was read meanwhile [summary 1]', async () => {
    await withTables(database, 'topics')
    const revision = revisionOf('topics')
    const [late, early] = await Promise.all([connect(), connect()])
    await late.query('begin; insert into topics values (1)')
    expect(await isSeen(revision, () => early.query('insert into topics values (2)'))).toBe(true)
    expect(await isSeen(revision, async () => {})).toBe(false)
    expect(await isSeen(revision, () => late.query('commit'))).toBe(true)
    await Promise.all([late.end(), early.end()])
  })

  it('writers neither wait for each other nor deadlock because of the triggers, nor fail under repeatable read', async () => {
    await withTables(database, 'topics', 'tasks')
    await run(
      'insert into topics select i from generate_series(1, 40) i; insert into tasks select i from generate_series(1, 40) i',
    )
    // More connections than slots: some must share one.
    const clients = await Promise.all(Array.from({ length: 40 }, connect))
    for (const [i, client] of clients.entries()) {
      await client.query(i % 4 === 0 ? 'begin isolation level repeatable read' : 'begin')
      await client.query(`update ${i % 2 === 0 ? 'topics' : 'tasks'} set x = 1 where id = ${i + 1}`)
    }
    for (const [i, client] of clients.entries()) {
      await client.query(`update ${i % 2 === 0 ? 'tasks' : 'topics'} set x = 2 where id = ${i + 1}`)
    }
    const revision = revisionOf('topics', 'tasks')
    for (const client of clients) expect(await isSeen(revision, () => client.query('commit'))).toBe(true)
    await Promise.all(clients.map((client) => client.end()))
  })

  it('a connection inside a transaction that has written tells nothing', async () => {
    await withTables(database, 'topics')
    const client = await connect()
    const revision = pgRevision(['topics'], { client, schema: database.own })
    await client.query('begin')
    await tell(revision)
    await client.query('insert into topics values (1)')
    expect(isTidemarkError(await failure(tell(revision)), 'revision-in-transaction')).toBe(true)
    await client.query('rollback')
    await tell(revision)
    await client.end()
  })

  it('who may only write the table is counted, who may only read it is told', async () => {
    await withTables(database, 'topics')
    const role = `${database.schema}_plain`
    await run(
      `create role ${role}; grant usage on schema ${database.schema} to ${role}; grant all on topics to ${role}`,
    )
    const client = await connect()
    await client.query(`set role ${role}`)
    const revision = pgRevision(['topics'], { client, schema: database.own })
    expect(await isSeen(revision, () => client.query('insert into topics values (1)'))).toBe(true)
    await expect(client.query(`delete from ${database.own}.tidemark_revision`)).rejects.toThrow('permission denied')
    await expect(client.query(`select ${database.own}.tidemark_fold('x')`)).rejects.toThrow('permission denied')
    await client.end()
    await run(`drop owned by ${role}; drop role ${role}`)
  })

  it('what replays the writes of others is counted', async () => {
    await withTables(database, 'topics')
    const client = await connect()
    await client.query('set session_replication_role = replica')
    expect(await isSeen(revisionOf('topics'), () => client.query('insert into topics values (1)'))).toBe(true)
    await client.end()
  })
})

describe('options', () => {
  const client = { query: async () => ({ rows: [] }) }
  const refusals: readonly (readonly [string, () => unknown])[] = [
    ['pgRevision.client', () => pgRevision(['a'], {} as never)],
    ['pgRevision.tables', () => pgRevision([], { client })],
    ['pgRevision.tables', () => pgRevision('topics' as never, { client })],
    ['pgRevision.mode', () => pgRevision(['a'], { client, mode: 'exact' as never })],
    ['pgRevision.schema', () => pgRevision(['a'], { client, schema: 'a.b' })],
    ['pgRevision.overlap', () => pgRevision(['a'], { client, overlap: '1m' })],
    ['pgRevision.listen', () => pgRevision(['a'], { client, listen: {} as never })],
    ['pgRevision.column', () => pgRevision(['a'], { client, mode: 'watermark', column: 1 as never })],
    ['pgRevision.rebuildEvery', () => pgRevision(['a'], { client, mode: 'watermark', rebuildEvery: 10 })],
  ]
  it.for(refusals)('%s is checked', ([option, make]) => {
    let error: unknown
    try {
      make()
    } catch (thrown) {
      error = thrown
    }
    expect(isTidemarkError(error, 'invalid-option')).toBe(true)
    expect((error as Error).message).toContain(`\`${option}\``)
  })
})
