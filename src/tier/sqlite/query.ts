// Walks over many rows, a page at a time, so that no walk holds up the event loop.

import type { Clock } from '../../clock.ts'
import type { Selector } from '../../key.ts'
import type { Database } from './database.ts'
import type { Names } from './names.ts'
import { INFO_COLUMNS, type InfoRow } from './row.ts'
import { IS_PAST, whereOf } from './selection.ts'

const PAGE_ROWS = 500
const COUNT_ROWS = 5_000

/** The live rows of a selector, without their values, oldest first. */
export async function* pages(
  selector: Selector,
  clock: Clock,
  database: Database,
  names: Names,
): AsyncIterable<InfoRow> {
  let after = 0
  for (;;) {
    const rows = database.use((connection) => {
      const where = whereOf(selector, connection, names)
      if (!where) return []
      const sql = `SELECT ${INFO_COLUMNS}, id FROM entries WHERE ${where.sql} AND id > ? AND NOT ${IS_PAST} ORDER BY id LIMIT ${PAGE_ROWS}`
      return connection.statement(sql).all(...where.parameters, after, clock.now()) as unknown as InfoRow[]
    })
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_ROWS) return
    after = last.at(-1) as number
    await turn()
  }
}

/** How many live rows a selector means. */
export async function count(selector: Selector, clock: Clock, database: Database, names: Names): Promise<number> {
  let total = 0
  let after = 0
  for (;;) {
    const slice = database.use((connection) => {
      const where = whereOf(selector, connection, names)
      if (!where) return undefined
      const sql = `SELECT max(id), count(*), sum(NOT ${IS_PAST}) FROM
        (SELECT id, fresh_until, keep_ms, stale_at FROM entries WHERE ${where.sql} AND id > ? ORDER BY id LIMIT ${COUNT_ROWS})`
      const parameters = [clock.now(), ...where.parameters, after]
      return connection.statement(sql).get(...parameters) as unknown as [number | null, number, number | null]
    })
    if (slice === undefined || slice[0] === null) return total
    total += slice[2] ?? 0
    if (slice[1] < COUNT_ROWS) return total
    after = slice[0]
    await turn()
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
