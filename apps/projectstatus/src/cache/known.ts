import type { Clock, Resource } from 'tidemark'

/** What of a row tells it from others, and from itself at another time. */
export interface Row {
  readonly id: string
  readonly version: number
}

/** The resources of one kind of rows. */
export interface KnownOptions<T> {
  readonly rows: Resource<string, T>
  readonly list: Resource<'all', readonly T[]>
  /** When the database said that a row is not there, by the name of the rows and its key. */
  readonly gone: Resource<string, number>
  readonly keyOf: (row: T) => string
  readonly clock: Clock
}

/**
 * What is known of rows besides the list they are in. Of one row the later version counts; which of two rows of one name is
 * the later one no version says: there it counts what was learnt last.
 */
export class Known<T extends Row> {
  readonly #options: KnownOptions<T>

  constructor(options: KnownOptions<T>) {
    this.#options = options
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#options.clock.now()
  }

  /** What a row is cached under. */
  keyOf(row: T): string {
    return this.#options.keyOf(row)
  }

  /** The database says that there is no such row: what is cached of it goes, so that no outage brings it back. */
  async missing(key: string, isCached: boolean): Promise<void> {
    const { rows, list, gone, keyOf } = this.#options
    const isListed = async (): Promise<boolean> =>
      (await list.stored('all', { stale: true }))?.some((row) => keyOf(row) === key) === true
    // Nothing is noted of names that anybody may make up.
    if (!isCached && !(await isListed())) return
    await gone.set(`${rows.name}:${key}`, this.now())
    await rows.delete(key)
  }

  /** What is known better than this row, which was learnt at a moment; `undefined`: nothing. */
  async better(row: T, learntAt: number): Promise<T | 'gone' | undefined> {
    const { rows, gone } = this.#options
    const key = this.keyOf(row)
    const stored = await rows.stored(key, { stale: true })
    if (stored === undefined) {
      const goneAt = await gone.stored(`${rows.name}:${key}`, { stale: true })
      return goneAt !== undefined && goneAt >= learntAt ? 'gone' : undefined
    }
    if (stored.id === row.id) return stored.version > row.version ? stored : undefined
    const { tiers } = await rows.explain(key)
    const storedAt = tiers.find(({ state }) => state !== 'absent')?.loadedAt ?? 0
    return storedAt >= learntAt ? stored : undefined
  }
}
