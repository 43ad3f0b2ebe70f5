// What becomes of tables behind the back of their triggers: swapped, altered, loaded with triggers off, restored.

import { expect, it } from 'vitest'
import { isTidemarkError } from 'tidemark'
import { installRevisions, pgRevision, type PgRevision } from 'tidemark/postgres'
import { readRevisions } from '../../src/source/read-revisions.ts'
import { counted, eachClient, onPostgres, plainTables, withTables } from './postgres.ts'

const { signal } = new AbortController()
const tell = async (revision: PgRevision): Promise<string | undefined> =>
  (await readRevisions([revision], signal)).revisions[0]

const refusalOf = (revision: PgRevision): Promise<string | undefined> =>
  tell(revision).then(
    () => undefined,
    (error: unknown) => (isTidemarkError(error) ? error.code : String(error)),
  )

/** Tables themselves are looked at four times a second at most. */
const SOON = { timeout: 5_000, interval: 20 }

/** Waits until the work is seen, and for what is told after that to stand still. */
async function seen(revision: PgRevision, work: () => Promise<unknown>): Promise<void> {
  const before = await tell(revision)
  await work()
  await expect.poll(() => tell(revision), SOON).not.toBe(before)
  const after = await tell(revision)
  expect([await tell(revision), await tell(revision)]).toEqual([after, after])
}

await eachClient((database) => {
  const run = (sql: string): Promise<void> => database.run(sql)
  const schema = { schema: database.own }
  const revisionOf = (tables: string[]): PgRevision => pgRevision(tables, { client: database.client, ...schema })

  it('a table in the place of another is not answered with the old one', async () => {
    await run('drop table if exists topics_old, topics_new cascade')
    await withTables(database, 'topics')
    await plainTables(database, 'topics_new')
    const revision = revisionOf(['topics'])
    const old = await tell(revision)
    const swap = (from: string, to: string): Promise<void> =>
      run(`begin; alter table topics rename to ${from}; alter table ${to} rename to topics; commit`)
    await swap('topics_old', 'topics_new')
    await expect.poll(() => refusalOf(revision), SOON).toBe('revision-not-installed')
    await installRevisions(database.client, { tables: ['topics'], ...schema })
    const other = await tell(revision)
    await seen(revision, () => run('insert into topics values (1)'))
    // Back again: it is neither what it was, with what was written meanwhile, nor the one that lay here since.
    const last = await tell(revision)
    await swap('topics_new', 'topics_old')
    await expect.poll(() => tell(revision), SOON).not.toBe(last)
    expect([old, other]).not.toContain(await tell(revision))
  })

  it('a schema in the place of another is not answered with the old one', async () => {
    const [place, next] = [`${database.schema}_at`, `${database.schema}_next`]
    for (const name of [place, next]) {
      await run(`create schema ${name}; create table ${name}.topics (id int)`)
      await installRevisions(database.client, { tables: [`${name}.topics`], ...schema })
    }
    const revision = revisionOf([`${place}.topics`])
    await tell(revision)
    await run(`begin; alter schema ${place} rename to ${place}_old; alter schema ${next} rename to ${place}; commit`)
    await expect.poll(() => refusalOf(revision), SOON).toBe('revision-not-installed')
    await run(`drop schema ${place} cascade; drop schema ${place}_old cascade`)
  })

  const alterations = {
    'another type': 'alter table topics alter column x type text using upper(x::text)',
    'a column with a default': `alter table topics add column state text default 'open'`,
    'another name of a column': 'alter table topics rename column x to y',
    'a column less': 'alter table topics drop column x',
    'what was loaded with triggers off':
      'begin; alter table topics disable trigger all; insert into topics values (1); alter table topics enable trigger all; commit',
    'a child': 'create table kid (id int, x int, updated_at timestamptz); alter table kid inherit topics',
  }
  it.for(Object.entries(alterations))('%s is seen', async ([, sql]) => {
    await run('drop table if exists kid cascade')
    await withTables(database, 'topics')
    const revision = revisionOf(['topics'])
    await seen(revision, () => run(sql))
    // Whoever looks for the first time is told the same.
    expect(await tell(revisionOf(['topics']))).toBe(await tell(revision))
    await seen(revision, () => run('insert into topics values (2)'))
  })

  it('a second child is seen too, and what leaves', async () => {
    await run('drop table if exists kid, kid2 cascade')
    await withTables(database, 'topics')
    const revision = revisionOf(['topics'])
    await seen(revision, () => run('create table kid () inherits (topics)'))
    await seen(revision, () => run('create table kid2 () inherits (topics)'))
    await seen(revision, () => run('alter table kid no inherit topics'))
  })

  it('upkeep is no change', async () => {
    await withTables(database, 'topics')
    await run('insert into topics select i from generate_series(1, 500) i')
    const { client, asked } = counted(database.client)
    const revision = pgRevision(['topics'], { client, ...schema })
    const before = await tell(revision)
    for (const sql of [
      'vacuum analyze topics',
      'create index on topics (id)',
      'vacuum freeze topics',
      'analyze topics',
    ])
      await run(sql)
    asked.length = 0
    const isLookedAt = async (): Promise<boolean> => {
      expect(await tell(revision)).toBe(before)
      return asked.some((text) => text.includes('relfilenode'))
    }
    await expect.poll(isLookedAt, SOON).toBe(true)
  })

  it('a cold copy put back: what was written since is never told again', async () => {
    await withTables(database, 'topics')
    await run('insert into topics values (1)')
    const revision = revisionOf(['topics'])
    const { own } = database
    await run(`create table ${own}.kept as table ${own}.tidemark_revision`)
    const told = new Set([await tell(revision)])
    for (let i = 0; i < 5; i++) {
      await run('insert into topics values (2)')
      told.add(await tell(revision))
    }
    expect(told.size).toBe(6)
    // The same rows in the same table, as files that are put back have them.
    await run(`begin; delete from ${own}.tidemark_revision; insert into ${own}.tidemark_revision table ${own}.kept;
      drop table ${own}.kept; commit`)
    for (let i = 0; i < 5; i++) {
      await run('insert into topics values (3)')
      expect(told).not.toContain(await tell(revision))
    }
  })
})

await onPostgres((database) => {
  it('a search path that leads elsewhere is not answered with the table of before', async () => {
    const other = `${database.schema}_other`
    await withTables(database, 'topics')
    await database.run(`create schema ${other}; create table ${other}.topics (id int)`)
    await installRevisions(database.client, { tables: [`${other}.topics`], schema: database.own })
    const client = await database.connect()
    const revision = pgRevision(['topics'], { client, schema: database.own })
    await seen(revision, () => client.query(`set search_path = ${other}`))
    await seen(revision, () => client.query('insert into topics values (1)'))
    await client.end()
    await database.run(`drop schema ${other} cascade`)
  })

  it('a setting of the session hides no write', async () => {
    await withTables(database, 'topics')
    const client = await database.connect()
    const revision = pgRevision(['topics'], { client: database.pool, schema: database.own })
    const [trigger] = await database.rows(`select (string_to_array(encode(tgargs, 'escape'), '\\000'))[2] as hash
      from pg_trigger where tgrelid = 'topics'::regclass`)
    await client.query(`set "tidemark.t${trigger?.['hash'] as string}" = '1'`)
    await seen(revision, () => client.query('insert into topics values (1)'))
    await client.query('begin; insert into topics values (2); commit')
    await seen(revision, () => client.query('insert into topics values (3)'))
    await client.end()
  })
})
