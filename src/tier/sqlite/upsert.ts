import type { SQLInputValue } from 'node:sqlite'
import { CLOCK_SKEW_MS_MAX } from '../../policy/judge.ts'
import { slotOfKey } from '../../slot.ts'
import type { Lease } from '../tier.ts'
import type { Connection } from './connection.ts'
import type { PreparedRow } from './row.ts'
import { touch, type WriteTarget } from './write-target.ts'

const BARE = ['kh', 'name', 'key', 'loaded_at', 'fresh_until', 'crc', 'value'] as const
const FULL = [...BARE, 'scope', 'stale_ms', 'error_ms', 'keep_ms', 'stale_at', 'format', 'extra'] as const
/** So many bare rows go into one statement: the call costs more than the row. */
const ROWS_AT_ONCE = 20

// ON CONFLICT DO UPDATE, not INSERT OR REPLACE: replacing would give the row a new place in the order of eviction and
// take its tags along. A row of another key with the same hash stays; the newcomer is then not cached.
const SAME_KEY = 'WHERE entries.key = excluded.key AND entries.name = excluded.name'
const SET_FULL = `${insert(FULL, 1)} ON CONFLICT (kh) DO UPDATE SET ${updates(FULL)} ${SAME_KEY}`
const STORE = `${SET_FULL} AND (excluded.loaded_at >= entries.loaded_at OR entries.loaded_at > ?)`
const SET_BARE = setBare(1)
const SET_BARE_MANY = setBare(ROWS_AT_ONCE)

/** Writes one loaded row inside a transaction; false when its lease does not hold, or a later load is there. */
export function store(row: PreparedRow, lease: Lease, now: number, target: WriteTarget): boolean {
  const { connection, changes } = target
  if (!changes.holds(row.entry, lease)) return false
  const parameters = fullParameters(row, target)
  parameters.push(now + CLOCK_SKEW_MS_MAX)
  const written = connection.statement(STORE).run(...parameters)
  if (Number(written.changes) === 0) return false
  writeTags(connection, row, parameters[0] as number)
  return true
}

/** Writes rows that were set explicitly, in their order, inside a transaction. */
export function setAll(rows: readonly PreparedRow[], target: WriteTarget): void {
  let bare: SQLInputValue[] = []
  for (const row of rows) {
    touch(slotOfKey(row.entry.key), target)
    if (isBare(row)) {
      pushBare(bare, row, target)
      if (bare.length < BARE.length * ROWS_AT_ONCE) continue
      target.connection.statement(SET_BARE_MANY).run(...bare)
      bare = []
      continue
    }
    // What was collected comes first: the same key may be among it.
    flushBare(bare, target)
    bare = []
    const parameters = fullParameters(row, target)
    target.connection.statement(SET_FULL).run(...parameters)
    writeTags(target.connection, row, parameters[0] as number)
  }
  flushBare(bare, target)
}

function flushBare(bare: readonly SQLInputValue[], { connection }: WriteTarget): void {
  for (let at = 0; at < bare.length; at += BARE.length) {
    connection.statement(SET_BARE).run(...bare.slice(at, at + BARE.length))
  }
}

/** Most entries of most resources: plain JSON, no groups, no windows. */
function isBare(row: PreparedRow): boolean {
  return (
    row.format === 0 && row.scope === null && row.extra === null && row.keepMs === 0 && row.entry.staleAt === undefined
  )
}

function pushBare(parameters: SQLInputValue[], row: PreparedRow, target: WriteTarget): void {
  const { id, name } = row.entry.key
  const number = target.names.ensure(target.connection, name)
  parameters.push(target.connection.hash.of(number, id), number, id, row.loadedAt, row.freshUntil, row.crc, row.value)
}

function fullParameters(row: PreparedRow, target: WriteTarget): SQLInputValue[] {
  const parameters: SQLInputValue[] = []
  pushBare(parameters, row, target)
  const { scope, staleMs, errorMs, keepMs, format, extra } = row
  parameters.push(scope, staleMs || null, errorMs || null, keepMs || null, row.entry.staleAt ?? null, format, extra)
  return parameters
}

function writeTags(connection: Connection, row: PreparedRow, kh: number): void {
  const { tags } = row.entry
  if (tags === undefined) return
  const [id] = connection.statement('SELECT id FROM entries WHERE kh = ?').get(kh) as unknown as [number]
  connection.statement('DELETE FROM tags WHERE entry = ?').run(id)
  for (const tag of new Set(tags)) connection.statement('INSERT INTO tags (tag, entry) VALUES (?, ?)').run(tag, id)
}

function setBare(rows: number): string {
  // What a bare row does not have is cleared by a constant, which costs no parameter.
  const cleared =
    'scope = NULL, stale_ms = NULL, error_ms = NULL, keep_ms = NULL, stale_at = NULL, format = 0, extra = NULL'
  return `${insert(BARE, rows)} ON CONFLICT (kh) DO UPDATE SET ${updates(BARE)}, ${cleared} ${SAME_KEY}`
}

function insert(columns: readonly string[], rows: number): string {
  const isFull = columns.length === FULL.length
  const row = `(${columns.map(() => '?').join(', ')}${isFull ? '' : ', 0'})`
  return `INSERT INTO entries (${columns.join(', ')}${isFull ? '' : ', format'}) VALUES ${Array.from({ length: rows }, () => row).join(', ')}`
}

function updates(columns: readonly string[]): string {
  return columns
    .slice(3)
    .map((column) => `${column} = excluded.${column}`)
    .join(', ')
}
