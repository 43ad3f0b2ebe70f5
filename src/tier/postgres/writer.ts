import type { PgRow } from '../../pg/client.ts'
import type { Changes } from '../changes.ts'
import { cameTooLate } from './failure.ts'
import type { Link } from './link.ts'
import type { Place } from './place.ts'
import type { Query } from './query.ts'

/** How often a write is tried again when the server's clock stepped. */
const ATTEMPTS = 3

/** A write of one transaction. */
export interface Write {
  readonly query: Query
  /** The parameters after the life and the deadline; `undefined` when it may not be made any more. */
  readonly values: () => readonly unknown[] | undefined
  /** The slots it changes. */
  readonly slots: readonly number[]
  /** When its caller began to wait, by `performance.now()`. */
  readonly issuedAtMs: number
}

/**
 * Runs the functions that write. Each carries a deadline by the server's own clock: a pool may keep a statement for as long as
 * it has no connection, and a frozen server answers what it was sent before; by then the caller has given up, and what was set
 * since must not be overwritten. So what comes late is not made at all.
 */
export class Writer {
  readonly #link: Link
  readonly #place: Place
  readonly #changes: Changes

  constructor(link: Link, place: Place, changes: Changes) {
    this.#link = link
    this.#place = place
    this.#changes = changes
  }

  /**
   * Runs a write; resolves to its answer, or to `undefined` when it was refused. Errors: `tier-unavailable` when it came too
   * late, and what PostgreSQL says.
   */
  async run({ query, values, slots, issuedAtMs }: Write): Promise<PgRow | undefined> {
    const { budgetMs } = this.#link
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      let sentAtMs = 0
      const answer = await this.#place.run(
        query,
        (life) => {
          sentAtMs = performance.now()
          if (sentAtMs >= issuedAtMs + budgetMs) throw cameTooLate(query.what, budgetMs)
          const parameters = values()
          return parameters && [life, this.#place.deadline(issuedAtMs), ...parameters]
        },
        ([row], life) => (row && row['state'] !== 'gone' ? { row, life } : undefined),
      )
      if (!answer) return undefined
      const { row, life } = answer
      // Late, and yet in time by our own clock: the server's has stepped since we saw it.
      const isLate = row['state'] === 'late'
      this.#place.sawClock(Number(row['server_ms']), sentAtMs, isLate)
      if (!isLate) {
        this.#made(row, life, slots)
        return row['state'] === 'ok' ? row : undefined
      }
    }
    throw cameTooLate(query.what, budgetMs)
  }

  #made(row: PgRow, life: string, slots: readonly number[]): void {
    const { seq, others, own, is_complete: isComplete } = row
    if (seq === null || seq === undefined) return
    this.#place.takeIn(life, Number(seq), { others, own, isComplete: isComplete === true })
    // Again, for a lease taken while it was on its way must not hold either.
    for (const slot of slots) this.#changes.touch(slot)
  }
}
