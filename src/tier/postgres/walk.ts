// Walks over many entries, a page at a time, so that neither the server nor the process is held up.

import { selects, type KeyInfo } from '../../entry.ts'
import type { Selector } from '../../key.ts'
import type { PgRow } from '../../pg/client.ts'
import { tableTargetOf } from './layout.ts'
import type { Place } from './place.ts'
import type { Queries, Query } from './query.ts'
import { infoOfRow } from './row.ts'

const PAGE_ENTRIES = 500
/** The least hash there is, less one that cannot be: a page begins after it. */
const BEFORE_ALL = '-9223372036854775808'

/** Lists and counts what a selector means. */
export class Walk {
  readonly #place: Place
  readonly #queries: Queries
  readonly #now: () => number

  constructor(place: Place, queries: Queries, now: () => number) {
    this.#place = place
    this.#queries = queries
    this.#now = now
  }

  async *keys(selector: Selector): AsyncIterable<KeyInfo> {
    for (let after = BEFORE_ALL; ;) {
      const from = after
      const rows = await this.#ask(this.#queries.list, () => [...this.#live(selector), from, PAGE_ENTRIES])
      for (const row of rows) {
        const info = infoOfRow(row)
        if (info && selects(selector, info) && this.#now() < info.keepUntil) yield info
      }
      if (rows.length < PAGE_ENTRIES) return
      after = String(rows.at(-1)?.['hash'])
    }
  }

  async count(selector: Selector): Promise<number> {
    const [row] = await this.#ask(this.#queries.count, () => this.#live(selector))
    return Number(row?.['entries'])
  }

  async #ask(query: Query, values: () => unknown[]): Promise<readonly PgRow[]> {
    return (await this.#place.run(query, values, (rows) => rows)) ?? []
  }

  #live(selector: Selector): unknown[] {
    const { label, kind, hash, what } = tableTargetOf(selector)
    return [label, kind, hash, what, this.#now()]
  }
}
