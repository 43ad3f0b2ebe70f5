import type { Connection } from './connection.ts'

/** Limits of a file; `Infinity` where there is none. */
export interface CapacityLimits {
  readonly maxEntries: number
  readonly maxBytes: number
}

const BATCH = 64
const VISITED_MAX = 10_000

/**
 * Keeps a file within its limits: the oldest rows leave first, but one that was read since gets a second round.
 * Reads are remembered in memory and written with the next transaction: a read never writes.
 */
export class Capacity {
  readonly #limits: CapacityLimits
  readonly #visited = new Set<number>()

  constructor(limits: CapacityLimits) {
    this.#limits = limits
  }

  /** False when the file has no limits: then nothing is counted. */
  get isLimited(): boolean {
    return this.#limits.maxEntries !== Number.POSITIVE_INFINITY || this.#limits.maxBytes !== Number.POSITIVE_INFINITY
  }

  visit(kh: number): void {
    if (this.isLimited && this.#visited.size < VISITED_MAX) this.#visited.add(kh)
  }

  /** Inside a write transaction: makes room. Calls `evicted` for every row that leaves. */
  enforce(connection: Connection, evicted: (name: number, key: string) => void): void {
    if (!this.isLimited) return
    this.#flushVisits(connection)
    while (this.#isOver(connection)) {
      if (this.#dropCleared(connection)) continue
      const oldest = connection
        .statement(`SELECT id, name, key, visited FROM entries ORDER BY id LIMIT ${BATCH}`)
        .all() as unknown as [number, number, string, number][]
      if (oldest.length === 0) return
      for (const [id, name, key, visited] of oldest) {
        if (!this.#isOver(connection)) return
        if (visited === 1) this.#requeue(connection, id)
        else {
          connection.statement('DELETE FROM entries WHERE id = ?').run(id)
          evicted(name, key)
        }
      }
    }
  }

  #isOver(connection: Connection): boolean {
    const [entries, bytes] = connection.statement('SELECT entries, bytes FROM tally').get() as unknown as [
      number,
      number,
    ]
    return entries > this.#limits.maxEntries || bytes > this.#limits.maxBytes
  }

  /** What was cleared by name is dead already and was counted then: it makes room before anything that lives. */
  #dropCleared(connection: Connection): boolean {
    const cleared = 'SELECT id FROM names WHERE dropped = 1'
    const gone = connection
      .statement(`DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE name IN (${cleared}) LIMIT ${BATCH})`)
      .run()
    return Number(gone.changes) > 0
  }

  #requeue(connection: Connection, id: number): void {
    connection.statement('UPDATE entries SET visited = 0, id = (SELECT max(id) + 1 FROM entries) WHERE id = ?').run(id)
  }

  #flushVisits(connection: Connection): void {
    for (const kh of this.#visited) connection.statement('UPDATE entries SET visited = 1 WHERE kh = ?').run(kh)
    this.#visited.clear()
  }
}
