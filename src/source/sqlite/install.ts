import { createHash } from 'node:crypto'
import { TidemarkError } from '../../errors.ts'
import { checkTables } from '../tables.ts'
import { checkDatabase, type SqliteDatabase } from './database.ts'

const EVENTS = ['insert', 'update', 'delete'] as const
const PREFIX = 'tidemark_revision_'
/**
 * Nobody can say by how much a count grows: after a restore into the same file it would come by the counts of before again,
 * with other data. Enough for some 10¹³ rows.
 */
const GROWTH = 'abs(random() % 1048576) + 1'

/** What watches one table of a SQLite file. */
export interface SqliteRevisionStatus {
  readonly table: string
  /** How many rows were written since it was installed, in all. */
  readonly count: number
  /** Triggers that are not there: what they would have counted is not seen. */
  readonly missing: readonly string[]
}

/**
 * Puts the triggers on tables that tell `sqliteRevision` of their changes. All or nothing; done again, it changes nothing
 * but what is missing, and what an earlier version made. Returns the tables that got triggers.
 *
 * @throws `revision-table` for what is no table, `revision-in-transaction`, `invalid-option`
 */
export function installSqliteRevisions(database: SqliteDatabase, tables: readonly string[]): string[] {
  checkDatabase(database, 'installSqliteRevisions')
  checkTables(tables, 'installSqliteRevisions.tables')
  for (const table of tables) checkTable(database, table)
  const bare = tables.filter((table) => !isInstalled(database) || missingTriggers(database, table).length > 0)
  if (bare.length === 0) return []
  const own = `
create table if not exists tidemark_era (id text not null);
insert into tidemark_era select '' where not exists (select 1 from tidemark_era);
create table if not exists tidemark_revision (
  scope text primary key, n integer not null, writes integer not null default 0) without rowid;`
  // An installation of before counted rows in `n`.
  const counts =
    isInstalled(database) && !hasWrites(database)
      ? 'alter table tidemark_revision add column writes integer not null default 0; update tidemark_revision set writes = n;'
      : ''
  // What was not counted for a while may be where it was: a new era tells it from before.
  inTransaction(database, [own, counts, ...bare.map(tableScript), newEra()].join('\n'))
  return bare
}

/** Takes the triggers off tables, or off all of them. Returns the tables that had them. */
export function removeSqliteRevisions(database: SqliteDatabase, tables?: readonly string[]): string[] {
  checkDatabase(database, 'removeSqliteRevisions')
  if (tables) checkTables(tables, 'removeSqliteRevisions.tables')
  if (!isInstalled(database)) return []
  const all = sqliteRevisionsStatus(database).map(({ table }) => table)
  const gone = tables ? all.filter((table) => tables.includes(table)) : all
  const drops = gone.flatMap((table) => [...triggerNames(table), ...formerNames(table)].map(dropScript))
  const rows = gone.map((table) => `delete from tidemark_revision where scope = ${text(table)};`)
  const rest = gone.length === all.length ? ['drop table tidemark_revision; drop table tidemark_era;'] : [newEra()]
  inTransaction(database, [...drops, ...rows, ...rest].join('\n'))
  return gone
}

/** Begins a new era: every revision is one that was never told before. For what no trigger can tell. */
export function renewSqliteRevisions(database: SqliteDatabase): void {
  checkDatabase(database, 'renewSqliteRevisions')
  if (isInstalled(database)) inTransaction(database, newEra())
}

/** What is installed, table by table; empty when nothing is. */
export function sqliteRevisionsStatus(database: SqliteDatabase): SqliteRevisionStatus[] {
  checkDatabase(database, 'sqliteRevisionsStatus')
  if (!isInstalled(database)) return []
  const count = hasWrites(database) ? 'writes' : 'n'
  const rows = database.prepare(`select scope, ${count} as count from tidemark_revision order by scope`).all()
  return (rows as { scope: string; count: number }[]).map(({ scope, count }) => ({
    table: scope,
    count,
    missing: missingTriggers(database, scope),
  }))
}

/** True when our own tables are there. */
export function isInstalled(database: SqliteDatabase): boolean {
  const found = database.prepare("select count(*) as n from sqlite_schema where type = 'table' and name = ?")
  return ['tidemark_era', 'tidemark_revision'].every((name) => (found.get(name) as { n: number }).n === 1)
}

/** The triggers a table should have and has not. */
export function missingTriggers(database: SqliteDatabase, table: string): string[] {
  const found = database.prepare(
    "select 1 from sqlite_schema where type = 'trigger' and name = ? and tbl_name = ? collate nocase",
  )
  return triggerNames(table).filter((name) => found.get(name, table) === undefined)
}

/** The script a table of this file is made by; refuses what is none. Errors: `revision-table`. */
export function checkTable(database: SqliteDatabase, table: string): string {
  const found = database
    .prepare("select sql from sqlite_schema where type = 'table' and name = ? collate nocase")
    .get(table) as { readonly sql: string } | undefined
  if (found !== undefined) return found.sql
  throw new TidemarkError(
    'revision-table',
    `Cannot tell the revision of ${JSON.stringify(table)}: there is no such table.`,
    {
      hint: 'Name tables of the main database, without a schema.',
      data: { table },
    },
  )
}

function tableScript(table: string): string {
  const triggers = EVENTS.map((event, i) => {
    const name = quote(triggerNames(table)[i] as string)
    const counted = `update tidemark_revision set n = n + ${GROWTH}, writes = writes + 1 where scope = ${text(table)};`
    return `drop trigger if exists ${name};\ncreate trigger ${name} after ${event} on ${quote(table)} begin ${counted} end;`
  })
  const row = `insert into tidemark_revision (scope, n) values (${text(table)}, 0) on conflict do nothing;`
  return [row, ...formerNames(table).map(dropScript), ...triggers].join('\n')
}

function triggerNames(table: string): string[] {
  return namesOf(table, 16)
}

/** What triggers were called when they counted by one. */
function formerNames(table: string): string[] {
  return namesOf(table, 8)
}

function namesOf(table: string, digits: number): string[] {
  const hash = createHash('sha256').update(table).digest('hex').slice(0, digits)
  return EVENTS.map((event) => `${PREFIX}${hash}_${event}`)
}

function hasWrites(database: SqliteDatabase): boolean {
  return (
    database.prepare("select 1 from pragma_table_info('tidemark_revision') where name = 'writes'").get() !== undefined
  )
}

function dropScript(trigger: string): string {
  return `drop trigger if exists ${quote(trigger)};`
}

function newEra(): string {
  return `update tidemark_era set id = ${text(crypto.randomUUID())};`
}

function inTransaction(database: SqliteDatabase, script: string): void {
  if (database.isTransaction)
    throw new TidemarkError('revision-in-transaction', 'Cannot install inside a transaction that is open already.')
  database.exec('begin immediate')
  try {
    database.exec(script)
    database.exec('commit')
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
