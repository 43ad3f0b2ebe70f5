// Installing, looking at it, and taking it away again.

import { describe, expect, it } from 'vitest'
import { isTidemarkError } from 'tidemark'
import { installRevisions, pgRevision, removeRevisions, revisionsStatus, type InstallOptions } from 'tidemark/postgres'
import { readRevisions } from '../../src/source/read-revisions.ts'
import { formerInstallation } from './former.ts'
import { eachClient, onPostgres, plainTables } from './postgres.ts'

await eachClient((database) => {
  const schema = { schema: database.own }
  const install = (options: Omit<InstallOptions, 'schema'>): Promise<string[]> =>
    installRevisions(database.client, { ...options, ...schema })
  const status = () => revisionsStatus(database.client, schema)
  const named = (table: string): string => `${database.schema}.${table}`

  it('installs what is missing, does nothing the second time, and takes all of it away', async () => {
    await plainTables(database, 'topics', 'tasks')
    expect(await status()).toEqual([])
    expect(await install({ tables: ['topics'] })).toEqual([named('topics')])
    expect(await install({ tables: ['topics'] })).toEqual([])
    expect(await install({ tables: ['topics', 'tasks', 'topics'] })).toEqual([named('tasks')])
    await database.run('insert into topics values (1)')
    await database.run('insert into topics values (2)')
    expect(await status()).toEqual([
      { table: named('tasks'), mode: 'counters', notify: false, count: 0, rows: 1, missing: [] },
      { table: named('topics'), mode: 'counters', notify: false, count: 2, rows: 1, missing: [] },
    ])
    expect(await removeRevisions(database.client, { tables: ['tasks'], ...schema })).toEqual([named('tasks')])
    expect((await status()).map(({ table }) => table)).toEqual([named('topics')])
    expect(await removeRevisions(database.client, schema)).toEqual([named('topics')])
    expect(await status()).toEqual([])
    expect(await database.rows(`select from pg_namespace where nspname = '${database.own}'`)).toEqual([])
    expect(await removeRevisions(database.client, schema)).toEqual([])
    await database.run('insert into topics values (3)')
  })

  it('changes how a table is watched', async () => {
    await plainTables(database, 'topics')
    await install({ tables: ['topics'] })
    expect(await install({ tables: ['topics'], mode: 'snapshot', notify: true })).toEqual([named('topics')])
    expect(await status()).toMatchObject([{ mode: 'snapshot', notify: true }])
    // No longer for what replays the writes of others.
    await database.run('alter table topics enable trigger all')
    expect(await install({ tables: ['topics'], mode: 'snapshot', notify: true })).toEqual([named('topics')])
    await removeRevisions(database.client, schema)
  })

  it('says which partitions are not watched, and watches them when it is done again', async () => {
    await database.run('drop table if exists parts; create table parts (id int) partition by range (id)')
    await install({ tables: ['parts'] })
    await database.run('create table parts_a partition of parts for values from (0) to (10)')
    expect(await status()).toMatchObject([{ table: named('parts'), missing: [named('parts_a')] }])
    expect(await install({ tables: ['parts'] })).toEqual([named('parts_a')])
    expect(await status()).toMatchObject([{ missing: [] }])
    await removeRevisions(database.client, schema)
  })

  it('a schema that holds something else stays, without what is ours', async () => {
    const { own } = database
    await plainTables(database, 'tasks')
    await install({ tables: ['tasks'] })
    await database.run(`create table ${own}.other ()`)
    expect(await removeRevisions(database.client, schema)).toEqual([named('tasks')])
    const left = `select relname from pg_class where relnamespace = '${own}'::regnamespace`
    expect(await database.rows(left)).toEqual([{ relname: 'other' }])
    await database.run(`drop schema ${own} cascade`)
  })

  it('what something of the application uses stays, and goes on working', async () => {
    const { own } = database
    await plainTables(database, 'topics', 'tasks')
    await install({ tables: ['topics'] })
    await database.run(`create trigger mine after insert on tasks for each statement
      execute function ${own}.tidemark_bump('x', 'y', 'counters', '')`)
    await database.run(`create view ${own}.mine as select * from ${own}.tidemark_revision`)
    expect(await removeRevisions(database.client, schema)).toEqual([named('topics')])
    expect(await status()).toEqual([])
    await database.run('insert into topics values (1); insert into tasks values (1)')
    await database.run(`drop view ${own}.mine`)
    expect(await removeRevisions(database.client, schema)).toEqual([])
    await database.run('insert into tasks values (2); drop trigger mine on tasks')
    expect(await removeRevisions(database.client, schema)).toEqual([])
    expect(await database.rows(`select from pg_namespace where nspname = '${own}'`)).toEqual([])
  })

  it('brings up to date what an earlier version installed', async () => {
    const { own } = database
    await plainTables(database, 'topics', 'tasks')
    await database.run(formerInstallation(own, [named('topics'), named('tasks')]))
    await database.run('insert into topics values (1)')
    await database.run('insert into topics values (2)')
    expect(await status()).toMatchObject([
      { table: named('tasks'), missing: [named('tasks')] },
      { table: named('topics'), count: 2, missing: [named('topics')] },
    ])
    const revision = pgRevision(['topics'], { client: database.client, ...schema })
    const tell = async () => (await readRevisions([revision], new AbortController().signal)).revisions[0]
    const refused = await tell().catch((error: unknown) => error)
    expect(isTidemarkError(refused, 'revision-not-installed')).toBe(true)
    expect(await install({ tables: ['topics'] })).toEqual([named('topics')])
    expect(await install({ tables: ['topics'] })).toEqual([])
    const triggers = `select tgname from pg_trigger where tgrelid = '${named('topics')}'::regclass`
    expect(await database.rows(triggers)).toHaveLength(1)
    const before = await tell()
    await database.run('insert into topics values (3)')
    expect(await tell()).not.toBe(before)
    // One that was left as it was goes on being counted.
    await database.run('insert into tasks values (1)')
    expect((await status()).map(({ table, count }) => [table, count])).toEqual([
      [named('tasks'), 1],
      [named('topics'), 3],
    ])
    await expect(
      database.run(`insert into ${own}.tidemark_era select gen_random_uuid() from ${own}.tidemark_era`),
    ).rejects.toThrow('tidemark_era_one')
    expect((await removeRevisions(database.client, schema)).toSorted()).toEqual([named('tasks'), named('topics')])
    expect(
      await database.rows(`select from pg_trigger where not tgisinternal and tgrelid in (
      '${named('topics')}'::regclass, '${named('tasks')}'::regclass)`),
    ).toEqual([])
  })

  it('one table in two schemas of ours: each has its own trigger, and its own end', async () => {
    await plainTables(database, 'topics')
    const second = { schema: `${database.own}_2` }
    expect(await install({ tables: ['topics'] })).toEqual([named('topics')])
    expect(await installRevisions(database.client, { tables: ['topics'], notify: true, ...second })).toEqual([
      named('topics'),
    ])
    const revisions = [schema, second].map((it) => pgRevision(['topics'], { client: database.client, ...it }))
    const tell = async () => (await readRevisions(revisions, new AbortController().signal)).revisions
    const before = await tell()
    await database.run('insert into topics values (1)')
    const after = await tell()
    expect(after.map((it, i) => it === before[i])).toEqual([false, false])
    expect(await removeRevisions(database.client, second)).toEqual([named('topics')])
    expect(await status()).toMatchObject([{ notify: false, count: 1, missing: [] }])
    await removeRevisions(database.client, schema)
  })

  it('all or nothing: one table that is none, and nothing is there', async () => {
    await plainTables(database, 'topics')
    const refused = await install({ tables: ['topics', 'no_such'] }).catch((error: unknown) => error)
    expect(isTidemarkError(refused, 'revision-table')).toBe(true)
    expect(await status()).toEqual([])
  })

  it('a table that was renamed keeps being counted, under the name it had; removing takes either', async () => {
    await plainTables(database, 'topics')
    await install({ tables: ['topics'] })
    await database.run('alter table topics rename to subjects')
    expect(await status()).toMatchObject([{ table: named('topics'), missing: [named('topics')] }])
    expect(await removeRevisions(database.client, { tables: [named('topics')], ...schema })).toEqual([named('topics')])
    expect(await status()).toEqual([])
    await database.run('drop table subjects')
  })

  it('a table that was installed, removed and installed again never tells a revision it told before', async () => {
    await plainTables(database, 'topics', 'tasks')
    await install({ tables: ['topics', 'tasks'] })
    const era = async () => (await database.rows(`select id from ${database.own}.tidemark_era`))[0]
    const before = await era()
    await removeRevisions(database.client, { tables: ['tasks'], ...schema })
    const between = await era()
    await install({ tables: ['tasks'] })
    expect(new Set([before, between, await era()].map((it) => JSON.stringify(it))).size).toBe(3)
    await removeRevisions(database.client, schema)
  })
})

await onPostgres((database) => {
  it('two who install at the same time do not meet halfway', async () => {
    await plainTables(database, 'topics', 'tasks')
    const options = { tables: ['topics', 'tasks'], schema: database.own }
    await Promise.all(Array.from({ length: 6 }, () => installRevisions(database.client, options)))
    expect(await revisionsStatus(database.client, { schema: database.own })).toHaveLength(2)
    await removeRevisions(database.client, { schema: database.own })
  })

  it('what failed halfway left nothing behind', async () => {
    await plainTables(database, 'topics', 'tasks')
    const role = `${database.schema}_stranger`
    await database.run(`create role ${role}; grant create on database ${await nameOf(database)} to ${role}`)
    await database.run(`grant usage on schema ${database.schema} to ${role}; grant trigger on topics to ${role}`)
    const client = await database.connect()
    await client.query(`set role ${role}`)
    // May put a trigger on one of the tables, and neither on the other nor decide that it always fires.
    const refused = await installRevisions(client, { tables: ['topics', 'tasks'], schema: database.own }).catch(
      (error: unknown) => error,
    )
    expect(refused).toMatchObject({ code: '42501' })
    expect(await database.rows(`select from pg_namespace where nspname = '${database.own}'`)).toEqual([])
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await client.end()
    await database.run(`drop owned by ${role}; drop role ${role}`)
  })

  it('lines that were written instead of slots are folded: they stay few, and none is lost', async () => {
    await plainTables(database, 'topics')
    await installRevisions(database.client, { tables: ['topics'], mode: 'snapshot', schema: database.own })
    const client = await database.connect()
    for (let i = 0; i < 40; i++) {
      await client.query('do $$ begin for i in 1..25 loop insert into topics values (i); commit; end loop; end $$')
    }
    const [status] = await revisionsStatus(database.client, { schema: database.own })
    expect(status?.count).toBe(1_000)
    expect(status?.rows).toBeLessThan(250)
    await client.end()
    await removeRevisions(database.client, { schema: database.own })
  })
})

async function nameOf(database: { rows: (sql: string) => Promise<Record<string, unknown>[]> }): Promise<string> {
  return (await database.rows('select quote_ident(current_database()) as name'))[0]?.['name'] as string
}

describe('options', () => {
  const client = { query: async () => ({ rows: [] }) }
  const refusals: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['installRevisions.client', () => installRevisions(undefined as never, { tables: ['a'] })],
    ['installRevisions.tables', () => installRevisions(client, { tables: [''] })],
    ['installRevisions.mode', () => installRevisions(client, { tables: ['a'], mode: 'watermark' as never })],
    ['installRevisions.notify', () => installRevisions(client, { tables: ['a'], notify: 1 as never })],
    ['installRevisions.schema', () => installRevisions(client, { tables: ['a'], schema: 'A"' })],
    ['removeRevisions.tables', () => removeRevisions(client, { tables: [] })],
  ]
  it.for(refusals)('%s is checked', async ([option, call]) => {
    const error = await call().catch((thrown: unknown) => thrown)
    expect(isTidemarkError(error, 'invalid-option')).toBe(true)
    expect((error as Error).message).toContain(`\`${option}\``)
  })
})
