import type { Resource } from 'tidemark'

interface Row {
  readonly version: number
  readonly deleted_at?: Date | null
}

/**
 * A list from the cache with what is known better of its rows: later versions, and that some are deleted. Worked out once
 * for each list and as long as nothing changes, which is most of an outage.
 */
export class Overlay<T extends Row> {
  readonly #resource: Resource<string, T>
  readonly #keyOf: (row: T) => string
  #made: { readonly of: readonly T[]; readonly changes: number; readonly rows: readonly T[] } | undefined
  #changes = 0

  constructor(resource: Resource<string, T>, keyOf: (row: T) => string) {
    this.#resource = resource
    this.#keyOf = keyOf
  }

  /** Something is known that was not. */
  changed(): void {
    this.#changes++
  }

  async over(list: readonly T[]): Promise<readonly T[]> {
    const changes = this.#changes
    if (this.#made?.of === list && this.#made.changes === changes) return this.#made.rows
    const better = await Promise.all(list.map((row) => this.#resource.stored(this.#keyOf(row), { stale: true })))
    const rows = list
      .map((row, i) => ((better[i]?.version ?? 0) > row.version ? (better[i] as T) : row))
      .filter(({ deleted_at: deletedAt }) => !deletedAt)
    this.#made = { of: list, changes, rows }
    return rows
  }
}
