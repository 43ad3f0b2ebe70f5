import { hasPassed } from '../../clock.ts'
import type { Front } from '../tier.ts'
import type { Eviction } from './eviction/eviction.ts'
import type { Rows } from './rows.ts'
import type { Table } from './table.ts'

/** The hot path: one map lookup, one comparison of times, one count for eviction; no allocation. */
export class MemoryFront implements Front {
  readonly #rows: Rows
  readonly #table: Table
  readonly #eviction: Eviction
  readonly #byId: Map<string, number>

  constructor(rows: Rows, eviction: Eviction, name: string) {
    this.#rows = rows
    this.#table = rows.table
    this.#eviction = eviction
    this.#byId = rows.ofName(name)
  }

  fresh(id: string): unknown {
    const row = this.#byId.get(id)
    if (row === undefined) return undefined
    if (hasPassed(this.#table.freshUntil[row] as number, this.#rows.clock)) return undefined
    if (this.#rows.isForgotten(row)) return undefined
    this.#eviction.hit(row)
    return this.#table.values[row]
  }

  extend(id: string, idleMs: number, maxMs: number): number {
    const row = this.#byId.get(id)
    if (row === undefined) return 0
    const table = this.#table
    const end = Math.min(this.#rows.clock.now() + idleMs, (table.loadedAt[row] as number) + maxMs)
    const until = table.freshUntil[row] as number
    if (end <= until) return until
    // The windows after it are lengths: they move along.
    table.freshUntil[row] = end
    return end
  }
}
