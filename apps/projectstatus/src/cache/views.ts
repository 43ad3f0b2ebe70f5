// The cache's file for people with a SQL prompt: views over the rows of the SQLite tier, whose columns docs/tiers/sqlite.md
// promises. Views cannot be written; nothing is stored twice.

import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** A row's value as JSON. Format 0 is JSON already; in format 1 a Date is `{"$":"d","v":milliseconds}`. The others are no text. */
const DATA = `CASE e.format
    WHEN 0 THEN e.value
    WHEN 1 THEN (SELECT json_group_object(c.key, json(
        CASE WHEN c.type = 'object' AND c.value ->> '$."$"' = 'd'
          THEN json_quote(strftime('%Y-%m-%dT%H:%M:%fZ', (c.value ->> '$.v') / 1000.0, 'unixepoch'))
          ELSE e.value -> c.fullkey END)) FROM json_each(e.value) AS c)
  END`
const CACHED_AT = 'e.loaded_at / 1000.0'
const ofName = (name: string): string => `e.name = (SELECT id FROM names WHERE name = '${name}' AND dropped = 0)`
const column = (name: string): string => `CASE WHEN e.format IN (0, 1) THEN e.value ->> '$.${name}' END`

const VIEWS: Readonly<Record<string, string>> = {
  cached_vendors: `CREATE VIEW cached_vendors AS
  SELECT coalesce(${column('name')}, e.key) AS name, ${DATA} AS data, ${CACHED_AT} AS cached_at
  FROM entries AS e WHERE ${ofName('vendors')}`,
  cached_work_items: `CREATE VIEW cached_work_items AS
  SELECT e.key AS id, ${DATA} AS data, ${CACHED_AT} AS cached_at
  FROM entries AS e WHERE ${ofName('work_items')} AND ${column('deleted_at')} IS NULL`,
  cache_metadata: `CREATE VIEW cache_metadata AS
  SELECT e.key AS key, ${DATA} AS value, ${CACHED_AT} AS updated_at
  FROM entries AS e WHERE ${ofName('cache_metadata')}`,
}
/** The tier itself has no index on time, which would cost every other cache a part of each write. */
const AGE_INDEX = 'CREATE INDEX cached_by_age ON entries (name, loaded_at / 1000.0)'

/** So long another process that writes the file is waited for: this blocks. */
const BUSY_MS = 5

/**
 * Makes the views and the index by age in a file of the SQLite tier, where they are missing or were made by another version.
 * Returns `false` when that has to wait: the file is locked, or not there.
 */
export function installViews(path: string): boolean {
  if (!existsSync(path)) return false
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: BUSY_MS })
    const made = new Map(
      (db.prepare('SELECT name, sql FROM sqlite_schema').all() as { name: string; sql: string }[]).map((it) => [
        it.name,
        it.sql,
      ]),
    )
    if (!made.has('entries')) return false
    const steps = Object.entries(VIEWS)
      .filter(([name, sql]) => made.get(name) !== sql)
      .map(([name, sql]) => `DROP VIEW IF EXISTS ${name}; ${sql};`)
    if (!made.has('cached_by_age')) steps.push(`${AGE_INDEX};`)
    if (steps.length > 0) db.exec(`BEGIN IMMEDIATE; ${steps.join(' ')} COMMIT`)
    return true
  } catch {
    // Locked, read-only or damaged: the tier tells of it, and the views come when it is well again.
    return false
  } finally {
    db?.close()
  }
}
