import type { Known, Row } from './known.ts'

interface Deletable extends Row {
  readonly deleted_at?: Date | null
}

/**
 * A list from the cache with what is known better of its rows: later versions, and that some are gone. Worked out once for
 * each list and as long as nothing changes, which is most of an outage.
 */
export class Overlay<T extends Deletable> {
  readonly #known: Known<T>
  #made: { readonly of: readonly T[]; readonly changes: number; readonly rows: readonly T[] } | undefined
  #changes = 0

  constructor(known: Known<T>) {
    this.#known = known
  }

  /** Something is known that was not. */
  changed(): void {
    this.#changes++
  }

  /** The list as it was learnt at a moment, with what is known better. */
  async over(list: readonly T[], learntAt: number): Promise<readonly T[]> {
    const changes = this.#changes
    if (this.#made?.of === list && this.#made.changes === changes) return this.#made.rows
    const better = await Promise.all(list.map((row) => this.#known.better(row, learntAt)))
    const rows = list.flatMap((row, i) => {
      const best = better[i] ?? row
      return best === 'gone' || best.deleted_at ? [] : [best]
    })
    this.#made = { of: list, changes, rows }
    return rows
  }
}
