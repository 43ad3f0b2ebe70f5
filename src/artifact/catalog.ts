import { rmSync, statSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { isTidemarkError } from '../errors.ts'
import { failureCode } from '../tier/sqlite/failure.ts'
import { malformed, newer } from './container.ts'
import { createPrivately } from './lock.ts'
import type { ArtifactInfo } from './sidecar.ts'

/** What a list tells of an artifact. Times are milliseconds since 1970 but for `time`, sizes bytes. */
export interface ArtifactRow {
  readonly folder: string
  readonly filename: string
  /** When what it is about happened, ISO 8601 as the application wrote it. */
  readonly time: string
  readonly size: number
  readonly sha256: string
  readonly encoderVersion: number
  readonly capturedAt: number
  /** Somebody reviewed it: `review` is not empty. */
  readonly reviewed: boolean
  /** What it takes on the disk with its frames. */
  readonly bytes: number
}

/** Which artifacts are listed. */
export interface Search {
  readonly folder: string | undefined
  /** Compared as text: from `from` to before `to`. */
  readonly from: string | undefined
  readonly to: string | undefined
  readonly order: 'newest' | 'oldest'
  readonly limit: number
  /** The last of the page before. */
  readonly after: { readonly time: string; readonly folder: string; readonly filename: string } | undefined
}

/** The name of an artifact within its store. */
export interface ArtifactName {
  readonly folder: string
  readonly filename: string
}

const APPLICATION_ID = 0x54_44_41_49
const VERSION = 1
const BUSY_TIMEOUT_MS = 50

const SCHEMA = `
  CREATE TABLE artifact (
    folder TEXT NOT NULL, filename TEXT NOT NULL, time TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
    encoder_version INTEGER NOT NULL, captured_at INTEGER NOT NULL, reviewed INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (folder, filename)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX artifact_time ON artifact (time, folder, filename);
  CREATE INDEX artifact_folder_time ON artifact (folder, time, filename);
  CREATE INDEX artifact_spelling ON artifact (folder COLLATE NOCASE, filename COLLATE NOCASE);
  CREATE TABLE intent (id INTEGER PRIMARY KEY, folder TEXT NOT NULL, filename TEXT NOT NULL) STRICT;
  CREATE TABLE total (files INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO total VALUES (0, 0);
  CREATE TRIGGER artifact_in AFTER INSERT ON artifact BEGIN
    UPDATE total SET files = files + 1, bytes = bytes + new.bytes; END;
  CREATE TRIGGER artifact_change AFTER UPDATE OF bytes ON artifact BEGIN
    UPDATE total SET bytes = bytes + new.bytes - old.bytes; END;
  CREATE TRIGGER artifact_out AFTER DELETE ON artifact BEGIN
    UPDATE total SET files = files - 1, bytes = bytes - old.bytes; END;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${VERSION};
`
const COLUMNS = 'folder, filename, time, size, sha256, encoder_version, captured_at, reviewed, bytes'

/**
 * The index: what can be listed without looking into folders, and which change is under way. The folders are the truth; a
 * file that is missing, damaged or of another version is made anew from them.
 */
export class Catalog {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #path: string
  readonly #inode: number
  /** True when the file was made just now, until it has been filled. */
  isNew: boolean

  constructor(path: string) {
    const opened = openDatabase(path)
    this.#db = opened.db
    this.isNew = opened.isNew
    this.#path = path
    this.#inode = statSync(path).ino
  }

  /** True when the path leads to another file by now, or to none. */
  isReplaced(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode
  }

  put(info: ArtifactInfo): void {
    const { folder, filename, time, size, sha256, encoderVersion, capturedAt, review, source } = info
    const reviewed = Object.keys(review).length > 0 ? 1 : 0
    const row = [folder, filename, time, size, sha256, encoderVersion, capturedAt, reviewed, size + source.size]
    this.#sql(
      `INSERT INTO artifact (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (folder, filename) DO UPDATE SET time = excluded.time, size = excluded.size,
           sha256 = excluded.sha256, encoder_version = excluded.encoder_version, captured_at = excluded.captured_at,
           reviewed = excluded.reviewed, bytes = excluded.bytes`,
    ).run(...row)
  }

  remove({ folder, filename }: ArtifactName): void {
    this.#sql('DELETE FROM artifact WHERE folder = ? AND filename = ?').run(folder, filename)
  }

  search({ folder, from, to, order, limit, after }: Search): ArtifactRow[] {
    const isOldest = order === 'oldest'
    const conditions: [string, ...SQLInputValue[]][] = []
    if (folder !== undefined) conditions.push(['folder = ?', folder])
    if (from !== undefined) conditions.push(['time >= ?', from])
    if (to !== undefined) conditions.push(['time < ?', to])
    if (after)
      conditions.push([
        `(time, folder, filename) ${isOldest ? '>' : '<'} (?, ?, ?)`,
        after.time,
        after.folder,
        after.filename,
      ])
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([sql]) => sql).join(' AND ')}`
    const by = ['time', 'folder', 'filename'].map((column) => `${column} ${isOldest ? 'ASC' : 'DESC'}`).join(', ')
    return this.#sql(`SELECT ${COLUMNS} FROM artifact ${where} ORDER BY ${by} LIMIT ?`)
      .all(...conditions.flatMap(([, ...values]) => values), limit)
      .map(rowOf)
  }

  /** The names in a folder, or in all. */
  names(folder?: string): ArtifactName[] {
    const rows =
      folder === undefined
        ? this.#sql('SELECT folder, filename FROM artifact').all()
        : this.#sql('SELECT folder, filename FROM artifact WHERE folder = ?').all(folder)
    return rows.map(({ folder, filename }) => ({ folder: String(folder), filename: String(filename) }))
  }

  /** One that differs from this name by nothing but capitals, in folder or file: some disks would take them for the same. */
  spelledOtherwise({ folder, filename }: ArtifactName): ArtifactName | undefined {
    const other =
      this.#sql(`SELECT folder, filename FROM artifact WHERE folder = ? COLLATE NOCASE AND folder <> ? LIMIT 1`).get(
        folder,
        folder,
      ) ??
      this.#sql(
        `SELECT folder, filename FROM artifact
           WHERE folder = ? COLLATE NOCASE AND filename = ? COLLATE NOCASE AND filename <> ? LIMIT 1`,
      ).get(folder, filename, filename)
    return other && { folder: String(other['folder']), filename: String(other['filename']) }
  }

  totals(): { readonly files: number; readonly bytes: number } {
    const total = this.#sql('SELECT files, bytes FROM total').get()
    return { files: Number(total?.['files']), bytes: Number(total?.['bytes']) }
  }

  /** Says that a change begins. Returns its number. */
  begin({ folder, filename }: ArtifactName): number {
    const { lastInsertRowid } = this.#sql('INSERT INTO intent (folder, filename) VALUES (?, ?)').run(folder, filename)
    return Number(lastInsertRowid)
  }

  /** Changes that began and did not end: whoever holds the writer lock and finds one finds the work of a dead process. */
  unfinished(): (ArtifactName & { readonly id: number })[] {
    return this.#sql('SELECT id, folder, filename FROM intent')
      .all()
      .map(({ id, folder, filename }) => ({ id: Number(id), folder: String(folder), filename: String(filename) }))
  }

  end(intent: number): void {
    this.#sql('DELETE FROM intent WHERE id = ?').run(intent)
  }

  /** Several changes of the index in one transaction. */
  together(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  close(): void {
    this.#statements.clear()
    if (this.#db.isOpen) this.#db.close()
  }

  /** There are few texts, so each is prepared once. */
  #sql(text: string): StatementSync {
    let statement = this.#statements.get(text)
    if (!statement) this.#statements.set(text, (statement = this.#db.prepare(text)))
    return statement
  }
}

/** Opens an index. One that cannot be read is told, and makes room for an empty one. Errors: `artifact-newer`. */
export function openCatalog(path: string, onDropped: (error: unknown) => void): Catalog {
  try {
    return new Catalog(path)
  } catch (error) {
    if (failureCode(error) !== 'tier-corrupt' && !isTidemarkError(error, 'artifact-malformed')) throw error
    onDropped(error)
  }
  dropCatalog(path)
  return new Catalog(path)
}

/** Removes an index; the next one begins empty. */
export function dropCatalog(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}

function openDatabase(path: string): { db: DatabaseSync; isNew: boolean } {
  createPrivately(path)
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    db.exec('BEGIN IMMEDIATE')
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
    const isOurs = Number(db.prepare('PRAGMA application_id').get()?.['application_id']) === APPLICATION_ID
    if (version > VERSION) {
      throw newer(path, `version ${version} of the index`)
    }
    const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema').get() === undefined
    if (!isOurs && !isEmpty) throw malformed(path, 'it is a database of another program')
    if (!isOurs) db.exec(SCHEMA)
    db.exec('COMMIT')
    return { db, isNew: !isOurs }
  } catch (error) {
    db.close()
    throw error
  }
}

function rowOf(row: Record<string, unknown>): ArtifactRow {
  return {
    folder: String(row['folder']),
    filename: String(row['filename']),
    time: String(row['time']),
    size: Number(row['size']),
    sha256: String(row['sha256']),
    encoderVersion: Number(row['encoder_version']),
    capturedAt: Number(row['captured_at']),
    reviewed: row['reviewed'] === 1,
    bytes: Number(row['bytes']),
  }
}
