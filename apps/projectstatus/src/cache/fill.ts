import { isTidemarkError, type Resource } from 'tidemark'

/** So many rows at a time: whoever reads or writes meanwhile waits for a slice only. */
const SLICE_ROWS = 25
/** Rows that have not changed since are noted again after so long: often enough for their age, seldom enough for the disk. */
const EVERY_MS = 60_000

interface Row {
  readonly version: number
}

/**
 * Stores the rows of a whole list one by one as well, so that each of them can be asked for during an outage, and drops
 * what the list no longer has. A later version that is there already stays.
 */
export class Fill<T extends Row> {
  readonly #resource: Resource<string, T>
  readonly #keyOf: (row: T) => string
  /** Changes of the cache, one after the other. */
  readonly #change: (work: () => Promise<void>) => Promise<void>
  #versions = new Map<string, number>()
  #wholeAt = Number.NEGATIVE_INFINITY

  constructor(
    resource: Resource<string, T>,
    keyOf: (row: T) => string,
    change: (work: () => Promise<void>) => Promise<void>,
  ) {
    this.#resource = resource
    this.#keyOf = keyOf
    this.#change = change
  }

  /** Before the list is asked for. Resolves to what is to be done with its rows. */
  async begin(): Promise<(rows: readonly T[]) => void> {
    const isWhole = performance.now() - this.#wholeAt >= EVERY_MS
    if (isWhole) this.#wholeAt = performance.now()
    // What comes into the cache from now on may be newer than the list.
    const known = isWhole ? await this.#stored() : [...this.#versions.keys()]
    // Fails only when the cache is closed meanwhile.
    return (rows) => void this.#take(rows, known, isWhole).catch(() => {})
  }

  /** Forgets what it stored: it was cleared. */
  reset(): void {
    this.#versions.clear()
    this.#wholeAt = Number.NEGATIVE_INFINITY
  }

  async #take(rows: readonly T[], known: readonly string[], isWhole: boolean): Promise<void> {
    const versions = new Map(rows.map((row) => [this.#keyOf(row), row.version]))
    const news = isWhole ? rows : rows.filter((row) => this.#versions.get(this.#keyOf(row)) !== row.version)
    const gone = known.filter((key) => !versions.has(key))
    this.#versions = versions
    await this.#inSlices(news, (row) => this.#set(row))
    await this.#inSlices(gone, (key) => this.#resource.delete(key))
  }

  /** Between slices other changes have their turn. */
  async #inSlices<R>(items: readonly R[], work: (item: R) => Promise<void>): Promise<void> {
    for (let i = 0; i < items.length; i += SLICE_ROWS) {
      const slice = items.slice(i, i + SLICE_ROWS)
      await this.#change(async () => void (await Promise.all(slice.map(work))))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #set(row: T): Promise<void> {
    try {
      await this.#resource.set(this.#keyOf(row), row)
    } catch (error) {
      if (!isTidemarkError(error, 'older-version')) throw error
    }
  }

  async #stored(): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of this.#resource.entries()) keys.push(key as string)
    return keys
  }
}
