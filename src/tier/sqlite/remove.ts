import type { Selector } from '../../key.ts'
import { slotOfSelector } from '../../slot.ts'
import type { Connection } from './connection.ts'
import { IS_PAST, whereOf, type Where } from './selection.ts'
import { touch, type WriteTarget } from './write-target.ts'

/** Up to so many rows of a name are counted exactly, without those past their time. */
const EXACT_COUNT_MAX = 20_000

/** Removes, or marks stale from `staleAt`, inside a transaction. Returns how many live entries were touched. */
export function remove(selector: Selector, staleAt: number | undefined, now: number, target: WriteTarget): number {
  const { connection, names } = target
  touch(slotOfSelector(selector), target)
  const where = whereOf(selector, connection, names)
  releaseClaims(selector, target)
  if (!where) return 0
  if (staleAt !== undefined) return markStale(where, staleAt, now, connection)
  const live = countLive(where, now, connection)
  if (selector.kind === 'name') dropName(selector.name, target)
  else if (selector.kind === 'all') for (const { name } of names.live(connection)) dropName(name, target)
  else connection.statement(`DELETE FROM entries WHERE ${where.sql}`).run(...where.parameters)
  return live
}

/** Whoever loads a removed key now loads in vain; nobody should wait for it. A claim too many released costs a load. */
function releaseClaims(selector: Selector, { connection, names }: WriteTarget): void {
  if (selector.kind !== 'key') {
    connection.statement('DELETE FROM claims').run()
    return
  }
  const live = names.find(connection, selector.key.name)
  if (live !== undefined)
    connection.statement('DELETE FROM claims WHERE kh = ?').run(connection.hash.of(live, selector.key.id))
}

function markStale(where: Where, staleAt: number, now: number, connection: Connection): number {
  const marked = connection
    .statement(
      `UPDATE entries SET stale_at = ?, crc = crc - coalesce(stale_at, 0) + ? WHERE ${where.sql} AND fresh_until > ? AND (stale_at IS NULL OR stale_at > ?) AND NOT ${IS_PAST}`,
    )
    .run(staleAt, staleAt, ...where.parameters, staleAt, staleAt, now)
  return Number(marked.changes)
}

function countLive(where: Where, now: number, connection: Connection): number {
  const [live] = connection
    .statement(
      `SELECT count(*) FROM (SELECT 1 FROM entries WHERE ${where.sql} AND NOT ${IS_PAST} LIMIT ${EXACT_COUNT_MAX})`,
    )
    .get(...where.parameters, now) as unknown as [number]
  if (live < EXACT_COUNT_MAX) return live
  const [all] = connection
    .statement(`SELECT count(*) FROM entries WHERE ${where.sql}`)
    .get(...where.parameters) as unknown as [number]
  return all
}

/** Constant time however many entries there are: the name's rows are dead from the commit on and are swept later. */
function dropName(name: string, { connection, names }: WriteTarget): void {
  const live = names.find(connection, name)
  if (live !== undefined) names.drop(connection, live)
}
