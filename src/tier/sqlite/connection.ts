import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { TidemarkError } from '../../errors.ts'
import { KeyHash } from './key-hash.ts'
import { checkOwner, installTally, migrate } from './schema.ts'

/** How a file is opened. */
export interface ConnectionSettings {
  readonly path: string
  /** `power-loss` syncs every commit to the disk; `process` survives any crash but that of the machine. */
  readonly durability: 'process' | 'power-loss'
  /** Keep exact counts in the file, for a capacity limit. */
  readonly tally: boolean
  /** Nothing is made and nothing is written into the file. Defaults to `false`. */
  readonly readOnly?: boolean
}

/** How long SQLite itself waits for a lock: it blocks the event loop, so the real waiting is done outside. */
const BUSY_TIMEOUT_MS = 5
/** A checkpoint holds the event loop of whoever commits: 7 ms with so many pages, 15 with twice as many, and no set the faster. */
const WAL_PAGES = 1_000
const WAL_BYTES_KEPT = 64 * 1024 * 1024

/** An open file with its prepared statements; after a failure that replaces the file, a new one is made. */
export class Connection {
  readonly db: DatabaseSync
  readonly path: string
  /** Tells this file from one that took its place: random, written when the file was made. */
  readonly uid: string
  readonly hash: KeyHash
  readonly #inode: number | undefined
  readonly #statements = new Map<string, StatementSync>()

  constructor(settings: ConnectionSettings) {
    this.path = settings.path
    const inMemory = settings.path === ':memory:'
    if (settings.readOnly) refuseMissing(settings.path)
    else if (!inMemory) createPrivately(settings.path)
    this.db = new DatabaseSync(settings.path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
    try {
      distrust(this.db)
      // First of all: the journal mode is written into the file, and this may be another program's.
      const version = checkOwner(this.db, settings.path)
      if (!settings.readOnly) configure(this.db, settings)
      else if (version === 0) throw missing(settings.path)
      migrate(this.db, settings.path)
      if (settings.tally && !settings.readOnly) installTally(this.db)
      const file = this.db.prepare('SELECT uid, seed FROM file').get() as { uid: string; seed: number }
      this.uid = file.uid
      this.hash = new KeyHash(file.seed)
      this.#inode = inMemory ? undefined : statSync(settings.path).ino
    } catch (error) {
      this.db.close()
      throw error
    }
  }

  /** A prepared statement that answers rows as arrays (half the cost of objects); prepared once a connection. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.db.prepare(sql)
      statement.setReturnArrays(true)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /** True when the path leads to another file by now, or to none: someone deleted or replaced it. */
  isReplaced(): boolean {
    if (this.#inode === undefined) return false
    return statSync(this.path, { throwIfNoEntry: false })?.ino !== this.#inode
  }

  close(): void {
    this.#statements.clear()
    if (this.db.isOpen) this.db.close()
  }
}

/** Directory 0700 and file 0600 before anything is in them; SQLite gives its side files the mode of the main one. */
function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    // An existing file is not opened here: closing a second descriptor of it would drop this process's locks.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** SQLite would make it. */
function refuseMissing(path: string): void {
  if (!existsSync(path)) throw missing(path)
}

function missing(path: string): TidemarkError {
  return new TidemarkError('tier-unavailable', `There is no cache at ${path}.`, {
    hint: 'Name the file of a cache; none was made.',
    data: { path, isMissing: true },
  })
}

/** The file may be damaged or written by someone else. */
function distrust(db: DatabaseSync): void {
  db.exec('PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0')
}

function configure(db: DatabaseSync, settings: ConnectionSettings): void {
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${settings.durability === 'power-loss' ? 'FULL' : 'NORMAL'}`)
  db.exec(`PRAGMA wal_autocheckpoint = ${WAL_PAGES}; PRAGMA journal_size_limit = ${WAL_BYTES_KEPT}`)
}
