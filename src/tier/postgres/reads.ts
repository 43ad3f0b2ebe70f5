import type { Entry } from '../../entry.ts'
import type { TidemarkError } from '../../errors.ts'
import type { Key } from '../../key.ts'
import type { PgRow } from '../../pg/client.ts'
import { Asked, type Ask } from '../asked.ts'
import { readFrame } from '../read-frame.ts'
import { arrayOf, hashOf } from './layout.ts'
import type { Place } from './place.ts'
import type { Query } from './query.ts'
import { bytesOf, entryOfRow, placeOfKey, placeOfRow } from './row.ts'

/** So many keys go into one statement at most, and fewer when their values are large. */
const KEYS_AT_ONCE_MAX = 128
const ANSWER_BYTES = 1024 * 1024

/** What reading needs of the tier around it. */
export interface ReadsParts {
  readonly place: Place
  readonly query: Query
  readonly now: () => number
  /** An entry was found: it was used. */
  readonly visited: (hash: string) => void
  readonly unreadable: (key: Key, error: TidemarkError, frame: Buffer) => void
}

/** Reads of entries: what is asked for in one turn of the event loop is one statement, which also looks whether the life we know goes on. */
export class Reads {
  readonly #parts: ReadsParts
  readonly #asked = new Asked(
    () => '',
    (_, asks) => this.#answer(asks),
  )
  /** How long frames are, roughly. */
  #frameBytes = 1024

  constructor(parts: ReadsParts) {
    this.#parts = parts
  }

  get(key: Key): Promise<Entry | undefined> {
    return this.#asked.get(key)
  }

  async #answer(asks: readonly Ask[]): Promise<void> {
    const atOnce = Math.max(1, Math.min(KEYS_AT_ONCE_MAX, Math.floor(ANSWER_BYTES / this.#frameBytes)))
    const parts = Array.from({ length: Math.ceil(asks.length / atOnce) }, (_, i) =>
      asks.slice(i * atOnce, (i + 1) * atOnce),
    )
    await Promise.all(parts.map((part) => this.#fetch(part)))
  }

  async #fetch(asks: readonly Ask[]): Promise<void> {
    const { place, query, visited } = this.#parts
    const hashes = asks.map(({ key }) => hashOf(key))
    const wanted = arrayOf([...new Set(hashes)])
    const rows = await place.run(
      query,
      (life) => [life, wanted],
      // None at all: another life.
      (found) => (found.length > 0 ? found : undefined),
    )
    const byPlace = new Map((rows ?? []).filter((row) => row['frame'] !== null).map((row) => [placeOfRow(row), row]))
    for (const [i, { key, resolve }] of asks.entries()) {
      const row = byPlace.get(placeOfKey(key))
      if (row) visited(hashes[i] as string)
      resolve(row && this.#entry(key, row))
    }
  }

  #entry(key: Key, row: PgRow): ReturnType<typeof readFrame> {
    const { now, unreadable } = this.#parts
    const frame = bytesOf(row['frame'])
    // Grows at once, shrinks slowly.
    this.#frameBytes = Math.max(frame.byteLength, this.#frameBytes * 0.99)
    return readFrame(() => entryOfRow(row, key), { now, unreadable: (error) => unreadable(key, error, frame) })
  }
}
