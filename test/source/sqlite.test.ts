// Revisions of a SQLite file: the same promises, kept by triggers for each row.

import { createHash } from 'node:crypto'
import { copyFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  installSqliteRevisions,
  isTidemarkError,
  removeSqliteRevisions,
  renewSqliteRevisions,
  sqliteRevision,
  sqliteRevisionsStatus,
} from 'tidemark'
import { readRevisions } from '../../src/source/read-revisions.ts'
import type { RevisionSource } from 'tidemark'
import { testFolder } from '../folder.ts'

const folder = testFolder()
const { signal } = new AbortController()
let files = 0

function open(path = join(folder, `${++files}.db`)): DatabaseSync {
  const database = new DatabaseSync(path)
  onTestFinished(() => {
    if (database.isOpen) database.close()
  })
  return database
}

function withTables(): DatabaseSync {
  const database = open()
  database.exec('create table topics (id integer primary key, x); create table tasks (id integer primary key, x)')
  installSqliteRevisions(database, ['topics', 'tasks'])
  database.exec('insert into topics values (1, 0), (2, 0), (3, 0)')
  return database
}

const tell = async (...revisions: RevisionSource[]): Promise<readonly string[]> =>
  (await readRevisions(revisions, signal)).revisions

async function isSeen(revision: RevisionSource, work: () => unknown): Promise<boolean> {
  const before = await tell(revision)
  expect(await tell(revision)).toEqual(before)
  work()
  return (await tell(revision))[0] !== before[0]
}

const codeOf = async (revision: RevisionSource): Promise<unknown> =>
  tell(revision).then(
    () => undefined,
    (error: unknown) => (isTidemarkError(error) ? error.code : error),
  )

describe('sqliteRevision', () => {
  it('an insert, an update, a delete, a bulk update, a replacement and a delete of everything are each seen', async () => {
    const database = withTables()
    const revision = sqliteRevision(['topics'], { database })
    for (const sql of [
      'insert into topics values (4, 0)',
      'update topics set x = 1 where id = 1',
      'delete from topics where id = 2',
      'update topics set x = x + 1',
      'insert or replace into topics values (1, 9)',
      'insert into topics values (1, 8) on conflict do update set x = excluded.x',
      'delete from topics',
    ]) {
      expect(await isSeen(revision, () => database.exec(sql)), sql).toBe(true)
    }
  })

  it('other tables do not count, sections are told apart', async () => {
    const database = withTables()
    const topics = sqliteRevision(['topics'], { database })
    const both = sqliteRevision(['topics', 'tasks'], { database })
    const before = await tell(topics, both)
    database.exec('insert into tasks values (1, 0)')
    const after = await tell(topics, both)
    expect(after.map((it, i) => it === before[i])).toEqual([true, false])
  })

  it('what is rolled back is not seen; what another connection commits is, when it commits', async () => {
    const database = withTables()
    const revision = sqliteRevision(['topics'], { database })
    expect(await isSeen(revision, () => database.exec('begin; delete from topics; rollback'))).toBe(false)
    database.exec('pragma journal_mode = wal')
    const other = open(database.location() as string)
    other.exec('begin; insert into topics values (9, 0)')
    expect(await isSeen(revision, () => {})).toBe(false)
    expect(await isSeen(revision, () => other.exec('commit'))).toBe(true)
  })

  it('tells nothing inside a transaction: what it wrote may never be committed', async () => {
    const database = withTables()
    const revision = sqliteRevision(['topics'], { database })
    database.exec('begin; insert into topics values (9, 0)')
    expect(await codeOf(revision)).toBe('revision-in-transaction')
    database.exec('rollback')
    expect(await codeOf(revision)).toBeUndefined()
  })

  it('a restore is another era: a backup in place of the file, or one we are told of', async () => {
    const database = withTables()
    const path = database.location() as string
    const backup = join(folder, 'backup.db')
    database.exec(`vacuum into '${backup}'`)
    const [before] = await tell(sqliteRevision(['topics'], { database }))
    database.close()
    copyFileSync(backup, `${path}.new`)
    renameSync(`${path}.new`, path)
    const restored = open(path)
    const revision = sqliteRevision(['topics'], { database: restored })
    expect((await tell(revision))[0]).not.toBe(before)
    expect(await isSeen(revision, () => renewSqliteRevisions(restored))).toBe(true)
  })

  it('a backup that is loaded into the same file: what was written since is never told again', async () => {
    const database = withTables()
    const revision = sqliteRevision(['topics'], { database })
    const path = join(folder, 'loaded.db')
    await backup(database, path)
    const told = new Set(await tell(revision))
    for (let i = 0; i < 5; i++) {
      database.exec('insert into topics (x) values (2)')
      told.add((await tell(revision))[0] as string)
    }
    expect(told.size).toBe(6)
    const kept = open(path)
    await backup(kept, database.location() as string)
    for (let i = 0; i < 5; i++) {
      database.exec('insert into topics (x) values (3)')
      expect(told).not.toContain((await tell(revision))[0])
    }
  })

  it('a table that is altered is another', async () => {
    const database = withTables()
    const revision = sqliteRevision(['topics'], { database })
    const alterations = ['add column state default 1', 'rename column state to mood', 'drop column mood']
    for (const sql of alterations)
      expect(await isSeen(revision, () => database.exec(`alter table topics ${sql}`)), sql).toBe(true)
    expect(await isSeen(revision, () => database.exec('create index by_x on topics (x); vacuum'))).toBe(false)
    expect(await isSeen(revision, () => database.exec('update topics set x = 9'))).toBe(true)
  })

  it('a table in the place of another is not answered with the old one', async () => {
    const database = withTables()
    const revision = sqliteRevision(['topics'], { database })
    await tell(revision)
    database.exec('create table topics_new (id, x); alter table topics rename to topics_old')
    database.exec('alter table topics_new rename to topics')
    expect(await codeOf(revision)).toBe('revision-not-installed')
  })

  it('a count beyond what a number holds is exact', async () => {
    const database = withTables()
    database.exec('update tidemark_revision set n = 9007199254740993000')
    const revision = sqliteRevision(['topics'], { database })
    const [before] = await tell(revision)
    database.exec('update tidemark_revision set n = n + 1')
    expect((await tell(revision))[0]).not.toBe(before)
  })

  it('without its triggers a revision is refused, not trusted', async () => {
    const database = open()
    database.exec('create table topics (id)')
    const revision = sqliteRevision(['topics'], { database })
    expect(await codeOf(revision)).toBe('revision-not-installed')
    expect(await codeOf(sqliteRevision(['no_such'], { database }))).toBe('revision-table')
    installSqliteRevisions(database, ['topics'])
    expect(await codeOf(revision)).toBeUndefined()
    database.exec('drop table topics; create table topics (id)')
    expect(await codeOf(revision)).toBe('revision-not-installed')
    installSqliteRevisions(database, ['topics'])
    expect(await isSeen(revision, () => database.exec('insert into topics values (1)'))).toBe(true)
  })
})

describe('installing', () => {
  it('does nothing the second time; says what is there; takes all of it away', () => {
    const database = open()
    database.exec(`create table topics (id); create table "O'Brien ""x""" (id)`)
    const tables = ['topics', `O'Brien "x"`]
    expect(sqliteRevisionsStatus(database)).toEqual([])
    expect(installSqliteRevisions(database, tables)).toEqual(tables)
    expect(installSqliteRevisions(database, tables)).toEqual([])
    database.exec(`insert into "O'Brien ""x""" values (1), (2)`)
    expect(sqliteRevisionsStatus(database)).toEqual([
      { table: `O'Brien "x"`, count: 2, missing: [] },
      { table: 'topics', count: 0, missing: [] },
    ])
    database.exec('drop table topics')
    expect(sqliteRevisionsStatus(database)[1]?.missing).toHaveLength(3)
    expect(removeSqliteRevisions(database, ['topics'])).toEqual(['topics'])
    expect(removeSqliteRevisions(database)).toEqual([`O'Brien "x"`])
    expect(removeSqliteRevisions(database)).toEqual([])
    expect(database.prepare("select name from sqlite_schema where name like 'tidemark%'").all()).toEqual([])
  })

  it('brings up to date what an earlier version installed', async () => {
    const database = open()
    const hash = createHash('sha256').update('topics').digest('hex').slice(0, 8)
    const events = ['insert', 'update', 'delete']
    database.exec(`create table topics (id); create table tidemark_era (id text not null);
      insert into tidemark_era values ('x');
      create table tidemark_revision (scope text primary key, n integer not null) without rowid;
      insert into tidemark_revision values ('topics', 0);`)
    for (const event of events)
      database.exec(`create trigger "tidemark_revision_${hash}_${event}" after ${event} on "topics"
        begin update tidemark_revision set n = n + 1 where scope = 'topics'; end`)
    database.exec('insert into topics values (1), (2)')
    expect(sqliteRevisionsStatus(database)).toMatchObject([{ count: 2, missing: events.map(() => expect.any(String)) }])
    expect(await codeOf(sqliteRevision(['topics'], { database }))).toBe('revision-not-installed')
    expect(installSqliteRevisions(database, ['topics'])).toEqual(['topics'])
    expect(installSqliteRevisions(database, ['topics'])).toEqual([])
    expect(database.prepare("select count(*) as n from sqlite_schema where type = 'trigger'").get()).toEqual({ n: 3 })
    database.exec('insert into topics values (3)')
    expect(sqliteRevisionsStatus(database)).toEqual([{ table: 'topics', count: 3, missing: [] }])
    removeSqliteRevisions(database)
    expect(database.prepare("select name from sqlite_schema where name like 'tidemark%'").all()).toEqual([])
  })

  it('all or nothing, and not inside a transaction', () => {
    const database = open()
    database.exec('create table topics (id)')
    expect(() => installSqliteRevisions(database, ['topics', 'no_such'])).toThrow('no such table')
    expect(sqliteRevisionsStatus(database)).toEqual([])
    database.exec('begin')
    expect(() => installSqliteRevisions(database, ['topics'])).toThrow('inside a transaction')
    database.exec('rollback')
  })

  it('refuses what is no database and what are no tables', () => {
    expect(() => sqliteRevision(['a'], { database: {} as never })).toThrow('`sqliteRevision.database`')
    expect(() => sqliteRevision([], { database: open() })).toThrow('`sqliteRevision.tables`')
    expect(() => installSqliteRevisions(open(), 'topics' as never)).toThrow('`installSqliteRevisions.tables`')
    expect(() => removeSqliteRevisions('x.db' as never)).toThrow('`removeSqliteRevisions.database`')
  })
})
