// Views over real databases: whatever is committed is seen by the very next read, and nothing else is.

import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createTidemark,
  installSqliteRevisions,
  memory,
  renewSqliteRevisions,
  sqlite,
  sqliteRevision,
  type Revision,
  type Tidemark,
  type View,
} from 'tidemark'
import { pgRevision, renewRevisions, type NodePgClient, type PgClient } from 'tidemark/postgres'
import { runStatement } from '../../src/pg/client.ts'
import { testFolder } from '../folder.ts'
import { counted, eachPostgres, onPostgres, withTables } from '../source/postgres.ts'

const folder = testFolder()

type Row = Readonly<Record<string, unknown>>
type Summary = View<{ topics: readonly Row[]; recent: readonly Row[] }>

function open(): Tidemark {
  const tide = createTidemark({ tiers: [memory()] })
  onTestFinished(() => tide.close())
  return tide
}

/** Topics and the newest tasks. Readers wait for what moved, so that a read shows what it knows. */
function summaryOf(
  tide: Tidemark,
  revisionOf: (tables: string[]) => Revision,
  rows: (sql: string) => Promise<readonly Row[]>,
): Summary {
  return tide.view({
    name: 'summary',
    sections: {
      topics: {
        revision: revisionOf(['topics']),
        rebuild: 'now',
        build: () => rows('select id, x from topics order by id'),
      },
      recent: {
        revision: revisionOf(['tasks']),
        build: () => rows('select id, x from tasks order by id desc limit 3'),
      },
    },
    timeout: { soft: '10s' },
  })
}

/** What the next read says, and how many queries it asked. */
async function changeOf(view: Summary, work: () => unknown): Promise<string> {
  const before = await view.get()
  expect((await view.read()).status).toBe('hit')
  await work()
  const { status, value } = await view.read()
  return value === before ? status : `${status}, other value`
}

await eachPostgres((database) => {
  const run = (sql: string): Promise<void> => database.run(sql)
  const rowsOf = (client: PgClient) => (sql: string) => runStatement(client, { text: sql, values: [] })
  const revisionOf = (tables: string[]): Revision =>
    pgRevision(tables, { client: database.client, schema: database.own })
  const fresh = async (): Promise<Summary> => {
    await withTables(database, 'topics', 'tasks')
    await run(
      'insert into topics select i from generate_series(1, 9) i; insert into tasks select i from generate_series(1, 9) i',
    )
    return summaryOf(open(), revisionOf, rowsOf(database.client))
  }

  it('an insert, an update, a delete, a bulk update and a truncate [summary 1]', async () => {
    const view = await fresh()
    for (const sql of [
      'insert into topics values (10)',
      'update topics set x = 5 where id = 3',
      'delete from topics where id = 4',
      'update topics set x = x + 1',
      'truncate topics',
      'insert into tasks values (11)',
      'delete from tasks where id = 11',
    ])
      expect(await changeOf(view, () => run(sql)), sql).toBe('partial, other value')
  })

  it('a write that was rolled back is no change; one that changed nothing rebuilds and is the same', async () => {
    const view = await fresh()
    expect(await changeOf(view, () => run('begin; delete from topics; rollback'))).toBe('hit')
    expect(await changeOf(view, () => run('update topics set x = x'))).toBe('partial')
  })

  it('a restore: everything is built anew', async () => {
    const view = await fresh()
    expect(await changeOf(view, () => renewRevisions(database.client, { schema: database.own }))).toBe('partial')
    expect((await view.read()).sections).toMatchObject({ topics: { state: 'same' }, recent: { state: 'same' } })
  })

  it('a hit asks the database once [summary 2]', async () => {
    await withTables(database, 'topics', 'tasks')
    const { client, asked } = counted(database.client)
    const view = summaryOf(open(), (tables) => pgRevision(tables, { client, schema: database.own }), rowsOf(client))
    await view.read()
    asked.length = 0
    for (let i = 0; i < 5; i++) expect((await view.read()).status).toBe('hit')
    expect(asked).toHaveLength(5)
  })

  it('200 concurrent cold readers: one build', async () => {
    let built = 0
    await withTables(database, 'topics', 'tasks')
    const rows = (sql: string): Promise<readonly Row[]> => {
      built++
      return rowsOf(database.client)(sql)
    }
    const view = summaryOf(open(), revisionOf, rows)
    await Promise.all(Array.from({ length: 200 }, () => view.read()))
    expect(built).toBe(2)
  })
})

await onPostgres((database) => {
  it('a transaction that began before the snapshot and commits after it [summary 1]', async () => {
    await withTables(database, 'topics', 'tasks')
    const rows = (sql: string) => database.rows(sql)
    const view = summaryOf(
      open(),
      (tables) => pgRevision(tables, { client: database.pool, schema: database.own }),
      rows,
    )
    const late = await database.connect()
    await late.query("begin; insert into topics (id, updated_at) values (1, now() - interval '1 hour')")
    expect(await view.get()).toEqual({ topics: [], recent: [] })
    await database.run('insert into topics values (2)')
    expect((await view.get()).topics).toHaveLength(1)
    expect(await changeOf(view, () => late.query('commit'))).toBe('partial, other value')
    expect((await view.get()).topics).toHaveLength(2)
    await late.end()
  })

  it('the database goes away and comes back: last known, then right', async () => {
    await withTables(database, 'topics', 'tasks')
    let isDown = false
    const client: NodePgClient = {
      query: async (config) => {
        if (isDown) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
        return database.pool.query(config)
      },
    }
    const rows = (sql: string) => database.rows(sql)
    const view = summaryOf(open(), (tables) => pgRevision(tables, { client, schema: database.own }), rows)
    const { value } = await view.read()
    isDown = true
    expect(await view.read()).toMatchObject({
      value,
      status: 'stale',
      revision: 'unknown',
      error: { code: 'ECONNREFUSED' },
    })
    await database.run('insert into topics values (1)')
    isDown = false
    expect((await view.get()).topics).toHaveLength(1)
  })

  it('writers and readers at random, in two caches over one file: no read misses what was committed before it began', async () => {
    await withTables(database, 'topics', 'tasks')
    await database.run('insert into topics select i, 0 from generate_series(1, 6) i')
    const path = join(folder, 'shared.db')
    const views = [0, 1].map(() => {
      const tide = createTidemark({ tiers: [memory(), sqlite({ path })] })
      onTestFinished(() => tide.close())
      const revisionOf = (tables: string[]) => pgRevision(tables, { client: database.pool, schema: database.own })
      return summaryOf(tide, revisionOf, (sql) => database.rows(sql))
    })
    let committed = 0
    const writers = { left: 6 }
    const write = async (id: number): Promise<void> => {
      const client = await database.connect()
      for (let i = 0; i < 40; i++) {
        const isKept = (i * 7 + id) % 10 < 7
        await client.query(i % 3 === 0 ? 'begin isolation level repeatable read' : 'begin')
        await client.query(`update topics set x = x + 1 where id = ${id}`)
        await client.query(isKept ? 'commit' : 'rollback')
        if (isKept) committed++
      }
      await client.end()
      writers.left--
    }
    const read = async (view: Summary): Promise<void> => {
      while (writers.left > 0) {
        const before = committed
        const { value } = await view.read()
        const seen = value.topics.reduce((sum, row) => sum + Number(row['x']), 0)
        expect(seen).toBeGreaterThanOrEqual(before)
      }
    }
    const reading = views.flatMap((view) => [read(view), read(view)])
    await Promise.all([...[1, 2, 3, 4, 5, 6].map(write), ...reading])
    expect((await views[0]?.get())?.topics.reduce((sum, row) => sum + Number(row['x']), 0)).toBe(committed)
  })
})

describe('SQLite', () => {
  function fresh(): { database: DatabaseSync; view: Summary } {
    const database = new DatabaseSync(join(folder, `${Math.random()}.db`))
    onTestFinished(() => database.close())
    database.exec('create table topics (id integer primary key, x); create table tasks (id integer primary key, x)')
    installSqliteRevisions(database, ['topics', 'tasks'])
    database.exec('insert into topics values (1, 0), (2, 0), (3, 0)')
    const rows = async (sql: string) => database.prepare(sql).all() as Row[]
    return { database, view: summaryOf(open(), (tables) => sqliteRevision(tables, { database }), rows) }
  }

  it('an insert, an update, a delete, a bulk update and a delete of everything', async () => {
    const { database, view } = fresh()
    for (const sql of [
      'insert into topics values (10, 0)',
      'update topics set x = 5 where id = 3',
      'delete from topics where id = 2',
      'update topics set x = x + 1',
      'delete from topics',
      'insert into tasks values (11, 0)',
    ])
      expect(await changeOf(view, () => database.exec(sql)), sql).toBe('partial, other value')
  })

  it('a write that was rolled back, one of another connection, a restore', async () => {
    const { database, view } = fresh()
    expect(await changeOf(view, () => database.exec('begin; delete from topics; rollback'))).toBe('hit')
    const other = new DatabaseSync(database.location() as string)
    expect(await changeOf(view, () => other.exec('insert into topics values (7, 7)'))).toBe('partial, other value')
    other.close()
    expect(await changeOf(view, () => renewSqliteRevisions(database))).toBe('partial')
  })

  it('inside a transaction nobody can say: the last snapshot, and never what may be rolled back', async () => {
    const { database, view } = fresh()
    const { value } = await view.read()
    database.exec('begin; delete from topics')
    expect(await view.read()).toMatchObject({
      value,
      status: 'stale',
      revision: 'unknown',
      error: { code: 'revision-in-transaction' },
    })
    database.exec('rollback; insert into topics values (8, 8)')
    expect((await view.get()).topics).toHaveLength(4)
  })
})
