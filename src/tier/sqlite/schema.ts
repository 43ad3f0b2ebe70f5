// The file's layout, by version. Times are whole milliseconds since 1970, sizes bytes.

import type { DatabaseSync } from 'node:sqlite'
import { TidemarkError } from '../../errors.ts'

/** "Tide" in ASCII: what makes a SQLite file one of ours. */
export const APPLICATION_ID = 0x54696465

/**
 * Each step takes a file from the version before it to its own. A released step never changes; a new layout is a new step.
 *
 * `kh` is a hash of name and key; the key is compared on every read. The windows after `fresh_until` are lengths, so an
 * invalidation only sets `stale_at`. `extra` is JSON of what few entries have (era, tags, identity, revision, bytes of a
 * value file); a format of 8 and more means that `value` names a file. A name that was cleared is marked `dropped` and its
 * rows are swept later, so that clearing a million entries takes one row's write. Rows are ordered by insertion (`id`),
 * which is the order of eviction. There is no index on time: it would cost every write a quarter (bench/findings.md),
 * and a sweep walks the table in slices anyway.
 */
const STEPS: readonly string[] = [
  `CREATE TABLE file (id INTEGER PRIMARY KEY CHECK (id = 1), uid TEXT NOT NULL, seed INTEGER NOT NULL) STRICT;
   CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL, dropped INTEGER NOT NULL DEFAULT 0) STRICT;
   CREATE UNIQUE INDEX names_live ON names (name) WHERE dropped = 0;
   CREATE TABLE entries (
     id INTEGER PRIMARY KEY,
     kh INTEGER NOT NULL UNIQUE,
     name INTEGER NOT NULL,
     key TEXT NOT NULL,
     scope TEXT,
     loaded_at INTEGER NOT NULL,
     fresh_until INTEGER NOT NULL,
     stale_ms INTEGER,
     error_ms INTEGER,
     keep_ms INTEGER,
     stale_at INTEGER,
     visited INTEGER NOT NULL DEFAULT 0,
     format INTEGER NOT NULL,
     crc INTEGER NOT NULL,
     extra TEXT,
     value ANY
   ) STRICT;
   CREATE INDEX entries_name ON entries (name);
   CREATE INDEX entries_scope ON entries (scope) WHERE scope IS NOT NULL;
   CREATE INDEX entries_file ON entries (value) WHERE format >= 8;
   CREATE TABLE tags (
     tag TEXT NOT NULL,
     entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE ON UPDATE CASCADE,
     PRIMARY KEY (tag, entry)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX tags_entry ON tags (entry);
   CREATE TABLE changes (seq INTEGER PRIMARY KEY, slots BLOB NOT NULL) STRICT;
   CREATE TABLE claims (kh INTEGER PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) STRICT;`,
]

/** The version this code reads and writes. */
export const SCHEMA_VERSION: number = STEPS.length

/**
 * Brings an open file to the current layout without losing a row. Errors: `tier-foreign` for another program's database,
 * `tier-newer` for a later version's; neither is touched.
 */
export function migrate(db: DatabaseSync, path: string, steps: readonly string[] = STEPS): void {
  if (checkOwner(db, path, steps) === steps.length) return
  db.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have been quicker.
    const from = numberOf(db, 'user_version')
    for (const step of steps.slice(from)) db.exec(step)
    if (from === 0) seedFile(db)
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${steps.length}; COMMIT`)
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** Keeps exact counts in the file from now on, for every process: what a capacity limit is checked against. */
export function installTally(db: DatabaseSync): void {
  db.exec(`BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS tally (id INTEGER PRIMARY KEY CHECK (id = 1), entries INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
    INSERT OR IGNORE INTO tally SELECT 1, count(*), coalesce(sum(${sizeOf('entries')}), 0) FROM entries;
    CREATE TRIGGER IF NOT EXISTS tally_in AFTER INSERT ON entries BEGIN
      UPDATE tally SET entries = entries + 1, bytes = bytes + ${sizeOf('new')}; END;
    CREATE TRIGGER IF NOT EXISTS tally_out AFTER DELETE ON entries BEGIN
      UPDATE tally SET entries = entries - 1, bytes = bytes - ${sizeOf('old')}; END;
    CREATE TRIGGER IF NOT EXISTS tally_change AFTER UPDATE OF value ON entries BEGIN
      UPDATE tally SET bytes = bytes + ${sizeOf('new')} - ${sizeOf('old')}; END;
    COMMIT`)
}

/** The bytes of a row's encoded value, wherever it lies. */
export function sizeOf(row: 'entries' | 'new' | 'old'): string {
  return `iif(${row}.format >= 8, json_extract(${row}.extra, '$.bytes'), octet_length(${row}.value))`
}

/**
 * The layout version of a file, 0 for an empty one; changes nothing. Errors: `tier-foreign`, `tier-newer`.
 */
export function checkOwner(db: DatabaseSync, path: string, steps: readonly string[] = STEPS): number {
  // One snapshot: another process may be making the file right now.
  db.exec('BEGIN')
  try {
    return versionOf(db, path, steps.length)
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK')
  }
}

function versionOf(db: DatabaseSync, path: string, newest: number): number {
  const owner = numberOf(db, 'application_id')
  const version = numberOf(db, 'user_version')
  const tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number }
  if (owner !== APPLICATION_ID && (owner !== 0 || tables.n > 0)) {
    throw new TidemarkError('tier-foreign', `${path} is a SQLite database of another program.`, { data: { path } })
  }
  if (version > newest) {
    const message = `${path} has layout version ${version}; this Tidemark knows up to ${newest}.`
    throw new TidemarkError('tier-newer', message, { data: { path, version } })
  }
  return version
}

function seedFile(db: DatabaseSync): void {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number]
  const seed = (high & 0x1f_ffff) * 0x1_0000_0000 + low
  db.prepare('INSERT INTO file (id, uid, seed) VALUES (1, ?, ?)').run(crypto.randomUUID(), seed)
}

function numberOf(db: DatabaseSync, pragma: string): number {
  return (db.prepare(`PRAGMA ${pragma}`).get() as Record<string, number>)[pragma] as number
}
