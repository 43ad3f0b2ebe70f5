import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { TidemarkError, refuseUnknown } from '../../errors.ts'
import type { RevisionAnswer, RevisionBatch, RevisionSource } from '../../revision.ts'
import { checkTables } from '../tables.ts'
import { checkDatabase, type SqliteDatabase } from './database.ts'
import { checkTable, isInstalled, missingTriggers } from './install.ts'

/** Options of {@link sqliteRevision}. */
export interface SqliteRevisionOptions {
  /** The file the data is read from, with no transaction left open on it while a view is read. */
  readonly database: SqliteDatabase
}

type Statement = ReturnType<SqliteDatabase['prepare']>

const batches = new WeakMap<SqliteDatabase, SqliteBatch>()

/**
 * The revision of some tables of a SQLite file: equal exactly while nothing that was committed changed them. Kept by
 * triggers, see `installSqliteRevisions`.
 *
 * @param tables of the main database
 * @throws `invalid-option`, `unknown-option`; when it is read also `revision-not-installed`, `revision-table`,
 *   `revision-in-transaction`
 * @example
 * const revision = sqliteRevision(['topics', 'tasks'], { database })
 */
export function sqliteRevision(tables: readonly string[], options: SqliteRevisionOptions): RevisionSource {
  refuseUnknown('sqliteRevision()', options, ['database'])
  const { database } = options
  checkDatabase(database, 'sqliteRevision')
  let batch = batches.get(database)
  if (!batch) batches.set(database, (batch = new SqliteBatch(database)))
  return Object.freeze({ tables: checkTables(tables, 'sqliteRevision.tables'), batch })
}

/** Reads the revisions of one file, at once. */
class SqliteBatch implements RevisionBatch {
  readonly #database: SqliteDatabase
  readonly #path: string | null
  /** The schema's own number when the tables and triggers were last seen to be there. */
  #checkedAt = -1
  /** What each table that was seen is made of. */
  readonly #made = new Map<string, string>()
  readonly #sums = new WeakMap<RevisionSource, Statement>()

  constructor(database: SqliteDatabase) {
    this.#database = database
    this.#path = database.location()
  }

  read(sources: readonly RevisionSource[]): RevisionAnswer {
    if (this.#database.isTransaction) throw inTransaction()
    this.#checkTables(sources.flatMap(({ tables }) => tables))
    const { id } = this.#database.prepare('select id from tidemark_era').get() as { id: string }
    const era = `${id.slice(0, 8)}${this.#fileId()}`
    const revisions = sources.map((source) => {
      const { n } = this.#sumOf(source).get(...source.tables) as { n: string }
      return `${era}-${source.tables.map((table) => this.#made.get(table)).join('')}.${n}`
    })
    return { revisions, ageMs: 0 }
  }

  #sumOf(source: RevisionSource): Statement {
    let sum = this.#sums.get(source)
    if (!sum) {
      const marks = source.tables.map(() => '?').join()
      // As a text: a number is exact up to 2⁵³ only.
      sum = this.#database.prepare(`select cast(sum(n) as text) as n from tidemark_revision where scope in (${marks})`)
      this.#sums.set(source, sum)
    }
    return sum
  }

  #checkTables(tables: readonly string[]): void {
    const { schema_version: version } = this.#database.prepare('pragma schema_version').get() as {
      schema_version: number
    }
    if (version !== this.#checkedAt) this.#made.clear()
    this.#checkedAt = version
    for (const table of tables) {
      if (this.#made.has(table)) continue
      const script = checkTable(this.#database, table)
      if (!isInstalled(this.#database) || missingTriggers(this.#database, table).length > 0) throw notInstalled(table)
      // A column that is made, dropped or renamed is a change no trigger sees.
      this.#made.set(table, createHash('sha256').update(script).digest('base64url').slice(0, 4))
    }
  }

  /** A backup put in the file's place is another file: it may have the same era and count, with other data. */
  #fileId(): string {
    if (this.#path === null || this.#path === '') return ''
    const { ino, birthtimeMs } = statSync(this.#path, { throwIfNoEntry: false }) ?? { ino: 0, birthtimeMs: 0 }
    return `-${ino.toString(36)}-${Math.floor(birthtimeMs).toString(36)}`
  }
}

function notInstalled(table: string): TidemarkError {
  return new TidemarkError('revision-not-installed', `What keeps the revision of ${table} is not installed.`, {
    hint: 'Call installSqliteRevisions(database, tables), or run `tidemark install-revisions --sqlite FILE --tables …`.',
    data: { table },
  })
}

function inTransaction(): TidemarkError {
  return new TidemarkError('revision-in-transaction', 'The database has a transaction open.', {
    hint: 'End the transaction before a view is read: what it wrote may never be committed.',
  })
}
