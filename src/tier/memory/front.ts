import type { Front } from '../tier.ts'
import type { Eviction } from './eviction/eviction.ts'
import type { Rows } from './rows.ts'
import type { Table } from './table.ts'

/** Within so many ms of its end an entry is judged by the exact clock; before, the coarse one is enough. */
const EXACT_MS = 1_000

/**
 * The hot path: one map lookup, one comparison of times, one count for eviction; no allocation.
 * The coarse clock may lag while the event loop is blocked, so the last second of a lifetime is judged exactly.
 */
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
    const until = this.#table.freshUntil[row] as number
    const { clock } = this.#rows
    if (until - clock.coarse() < EXACT_MS && until <= clock.now()) return undefined
    if (this.#rows.isForgotten(row)) return undefined
    this.#eviction.hit(row)
    return this.#table.values[row]
  }

  extend(id: string, idleMs: number, maxMs: number): number {
    const row = this.#byId.get(id)
    if (row === undefined) return 0
    const table = this.#table
    const end = Math.min(this.#rows.clock.now() + idleMs, (table.loadedAt[row] as number) + maxMs)
    const shiftMs = end - (table.freshUntil[row] as number)
    if (shiftMs <= 0) return table.freshUntil[row] as number
    table.freshUntil[row] = end
    table.staleUntil[row] = (table.staleUntil[row] as number) + shiftMs
    table.errorUntil[row] = (table.errorUntil[row] as number) + shiftMs
    table.keepUntil[row] = (table.keepUntil[row] as number) + shiftMs
    return end
  }
}
