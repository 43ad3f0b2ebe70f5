import { isTidemarkError, type Resource } from 'tidemark'
import type { Known, Row } from './known.ts'

/** So many rows at a time: whoever reads or writes meanwhile waits for a slice only. */
const SLICE_ROWS = 25
/** Rows that have not changed since are noted again after so long: often enough for their age, seldom enough for the disk. */
const EVERY_MS = 60_000

/** What was there before a list was asked for. */
interface Begun {
  readonly keys: readonly string[]
  readonly begunAt: number
  readonly isWhole: boolean
}

/**
 * Stores the rows of a whole list one by one as well, so that each of them can be asked for during an outage, and drops
 * what the list no longer has. What is known better already stays.
 */
export class Fill<T extends Row> {
  readonly #resource: Resource<string, T>
  readonly #known: Known<T>
  /** Changes of the cache, one after the other. */
  readonly #change: (work: () => Promise<void>) => Promise<void>
  /** Which version of which row was stored last, by its key. */
  #versions = new Map<string, string>()
  #wholeAt = Number.NEGATIVE_INFINITY

  constructor(resource: Resource<string, T>, known: Known<T>, change: (work: () => Promise<void>) => Promise<void>) {
    this.#resource = resource
    this.#known = known
    this.#change = change
  }

  /** Before the list is asked for. Resolves to what is to be done with its rows. */
  async begin(): Promise<(rows: readonly T[]) => void> {
    const isWhole = performance.now() - this.#wholeAt >= EVERY_MS
    if (isWhole) this.#wholeAt = performance.now()
    // What comes into the cache from now on may be newer than the list.
    const keys = isWhole ? await this.#stored() : [...this.#versions.keys()]
    const begunAt = this.#known.now()
    // Fails only when the cache is closed meanwhile.
    return (rows) => void this.#take(rows, { keys, begunAt, isWhole }).catch(() => {})
  }

  /** Forgets what it stored: it was cleared. */
  reset(): void {
    this.#versions.clear()
    this.#wholeAt = Number.NEGATIVE_INFINITY
  }

  async #take(rows: readonly T[], { keys, begunAt, isWhole }: Begun): Promise<void> {
    const versions = new Map(rows.map((row) => [this.#known.keyOf(row), `${row.id} ${row.version}`]))
    const isNew = (row: T): boolean => {
      const key = this.#known.keyOf(row)
      return this.#versions.get(key) !== versions.get(key)
    }
    const news = isWhole ? rows : rows.filter(isNew)
    const gone = keys.filter((key) => !versions.has(key))
    this.#versions = versions
    // What was learnt in the millisecond in which the list was asked for counts as before it.
    await this.#inSlices(news, (row) => this.#set(row, begunAt + 1))
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

  async #set(row: T, learntAt: number): Promise<void> {
    if ((await this.#known.better(row, learntAt)) !== undefined) return
    try {
      await this.#resource.set(this.#known.keyOf(row), row)
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
