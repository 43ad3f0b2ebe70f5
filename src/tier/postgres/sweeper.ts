import type { PgRow } from '../../pg/client.ts'
import type { TierReport } from '../tier.ts'
import { nameOfText } from './layout.ts'
import type { Place } from './place.ts'
import type { Queries, Query } from './query.ts'

const FIRST = '-9223372036854775808'
/** A slice of the walk aims at this long; the rows it takes adapt to the server and to what it does besides. */
const SLICE_MS = 20
const SLICE_ROWS_MIN = 200
const SLICE_ROWS_MAX = 20_000

/** Drops what is past its time and what was cleared by name; one short slice a call. Rows that are in use are passed by. */
export class Sweeper {
  readonly #place: Place
  readonly #queries: Queries
  readonly #report: (news: TierReport) => void
  #cursor = FIRST
  #sliceRows = 2_000

  constructor(place: Place, queries: Queries, report: (news: TierReport) => void) {
    this.#place = place
    this.#queries = queries
    this.#report = report
  }

  async sweep(now: number, limit: number): Promise<number> {
    const cleared = await this.#ask(this.#queries.sweepCleared, [limit])
    const dropped = Number(cleared['dropped'])
    return dropped > 0 ? dropped : this.#sweepPast(now, limit)
  }

  async #sweepPast(now: number, limit: number): Promise<number> {
    const startedAt = performance.now()
    const rows = this.#sliceRows
    const row = await this.#ask(this.#queries.sweep, [this.#cursor, rows, now, limit])
    this.#adapt(performance.now() - startedAt)
    const dropped = Number(row['dropped'])
    // What the limit left over is met again in the next slice.
    if (dropped < limit) this.#cursor = Number(row['looked']) < rows ? FIRST : String(row['last'])
    reportEvicted(row['evicted'], 'ttl', this.#report)
    return dropped
  }

  async #ask(query: Query, values: unknown[]): Promise<PgRow> {
    return (
      (await this.#place.run(
        query,
        () => values,
        ([row]) => row,
      )) ?? {}
    )
  }

  #adapt(tookMs: number): void {
    if (tookMs > SLICE_MS) this.#sliceRows = Math.max(SLICE_ROWS_MIN, Math.floor(this.#sliceRows / 2))
    else if (tookMs < SLICE_MS / 3) this.#sliceRows = Math.min(SLICE_ROWS_MAX, this.#sliceRows * 2)
  }
}

/** Tells of entries that left, by name, as the statements say it in JSON. */
export function reportEvicted(counts: unknown, cause: 'ttl' | 'size', report: (news: TierReport) => void): void {
  if (typeof counts !== 'string') return
  for (const [text, count] of Object.entries(JSON.parse(counts) as Record<string, number>))
    report({ kind: 'evicted', name: nameOfText(text), count, cause })
}
