import type { SQLInputValue } from 'node:sqlite'
import type { Lease } from '../tier.ts'
import { CLOCK_SKEW_MS_MAX } from '../../policy/judge.ts'
import { slotOfKey } from '../../slot.ts'
import type { Changes } from './changes.ts'
import type { Connection } from './connection.ts'
import type { Names } from './names.ts'
import { rowParameters, type PreparedRow } from './row.ts'

const COLUMNS =
  'kh, name, key, scope, era, loaded_at, fresh_until, stale_until, error_until, keep_until, stale_at, format, crc, size, extra, file, value'
const UPDATES = COLUMNS.split(', ')
  .slice(3)
  .map((column) => `${column} = excluded.${column}`)
  .join(', ')

// ON CONFLICT DO UPDATE, not INSERT OR REPLACE: replacing would give the row a new place in the order of eviction and
// take its tags along. A row of another key with the same hash stays; the newcomer is then not cached.
const SET = `INSERT INTO entries (${COLUMNS}) VALUES (${COLUMNS.replaceAll(/\w+/g, '?')}) ON CONFLICT (kh) DO UPDATE SET ${UPDATES}
  WHERE entries.key = excluded.key AND entries.name = excluded.name`
const STORE = `${SET} AND (excluded.loaded_at >= entries.loaded_at OR entries.loaded_at > ?)`

/** Writes one prepared row inside a transaction; false when its lease does not hold, or a later load is there. */
export function upsert(
  row: PreparedRow,
  lease: Lease | undefined,
  now: number,
  target: { connection: Connection; names: Names; changes: Changes; touched: number[] },
): boolean {
  const { connection, names, changes, touched } = target
  const { entry } = row
  if (lease === undefined) {
    const slot = slotOfKey(entry.key)
    changes.touch(slot)
    touched.push(slot)
  } else if (!changes.holds(entry, lease)) return false

  const name = names.ensure(connection, entry.key.name)
  const kh = connection.hash.of(name, entry.key.id)
  const parameters: SQLInputValue[] = rowParameters(row, name, kh)
  if (lease !== undefined) parameters.push(now + CLOCK_SKEW_MS_MAX)
  const written = connection.statement(lease === undefined ? SET : STORE).run(...parameters)
  if (Number(written.changes) === 0) return lease === undefined
  if (entry.tags !== undefined) writeTags(connection, kh, entry.tags)
  return true
}

function writeTags(connection: Connection, kh: number, tags: readonly string[]): void {
  const [id] = connection.statement('SELECT id FROM entries WHERE kh = ?').get(kh) as unknown as [number]
  connection.statement('DELETE FROM tags WHERE entry = ?').run(id)
  for (const tag of new Set(tags)) connection.statement('INSERT INTO tags (tag, entry) VALUES (?, ?)').run(tag, id)
}
