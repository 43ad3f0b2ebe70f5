import type { TierReport } from '../tier.ts'
import { arrayOf } from './layout.ts'
import type { Link } from './link.ts'
import type { Queries } from './query.ts'
import { reportEvicted } from './sweeper.ts'

/** Limits of the table; `Infinity` where there is none. */
export interface CapacityLimits {
  readonly maxEntries: number
  readonly maxBytes: number
}

/** Looked at after so large a part of a limit was stored: counting all rows costs more than storing one. */
const STEP = 1 / 20
const VISITED_MAX = 1_000
const BATCH_ROWS = 500
/** So many batches at a time; what is still too much leaves with the next store. */
const BATCHES_MAX = 20

/**
 * Keeps the table about within its limits: the oldest entries leave first, but one that was read since gets a second round.
 * Reads are remembered in memory and told when room is made: a read never writes.
 */
export class Capacity {
  readonly #limits: CapacityLimits
  readonly #link: Link
  readonly #queries: Queries
  readonly #report: (news: TierReport) => void
  #visited = new Set<string>()
  #entries = 0
  #bytes = 0
  #running: Promise<void> | undefined

  constructor(limits: CapacityLimits, link: Link, queries: Queries, report: (news: TierReport) => void) {
    this.#limits = limits
    this.#link = link
    this.#queries = queries
    this.#report = report
  }

  get #isLimited(): boolean {
    return this.#limits.maxEntries !== Number.POSITIVE_INFINITY || this.#limits.maxBytes !== Number.POSITIVE_INFINITY
  }

  visit(hash: string): void {
    if (this.#isLimited && this.#visited.size < VISITED_MAX) this.#visited.add(hash)
  }

  /** Entries were stored; room is made behind whoever did. */
  stored(entries: number, bytes: number): void {
    this.#entries += entries
    this.#bytes += bytes
    const { maxEntries, maxBytes } = this.#limits
    if (this.#running || (this.#entries < maxEntries * STEP && this.#bytes < maxBytes * STEP)) return
    this.#entries = 0
    this.#bytes = 0
    this.#running = this.#makeRoom()
      .catch((error: unknown) => this.#report({ kind: 'failed', operation: 'make room', error }))
      .finally(() => (this.#running = undefined))
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#running
  }

  async #makeRoom(): Promise<void> {
    const { maxEntries, maxBytes } = this.#limits
    const visited = arrayOf([...this.#visited])
    this.#visited = new Set()
    for (let batch = 0; batch < BATCHES_MAX; batch++) {
      const parameters = [maxEntries, maxBytes, batch === 0 ? visited : '{}', BATCH_ROWS]
      const [row = {}] = await this.#link.run(this.#queries.makeRoom, parameters)
      reportEvicted(row['evicted'], 'size', this.#report)
      if (row['is_over'] !== true) return
    }
  }
}
