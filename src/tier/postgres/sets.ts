import type { Capacity } from './capacity.ts'
import type { Job, Lane } from './lane.ts'
import type { Place } from './place.ts'
import type { Query } from './query.ts'
import { locksOfSet, rowParameters, type PreparedRow } from './row.ts'
import type { Writer } from './writer.ts'

/** So many sets share a transaction at most: each holds a lock of the server's, of which it has some thousands. */
const SETS_AT_ONCE_MAX = 64
const BYTES_AT_ONCE_MAX = 1024 * 1024

/** What explicit sets need of the tier around them. */
export interface SetsParts {
  readonly origin: string
  readonly lane: Lane
  readonly place: Place
  readonly put: Query
  readonly writer: Writer
  readonly capacity: Capacity
}

/** Explicit sets; those that wait for their turn together are one transaction. */
export class Sets {
  readonly #parts: SetsParts
  #waiting: Batch | undefined

  constructor(parts: SetsParts) {
    this.#parts = parts
  }

  /** Sets an entry; all that go in one transaction share the promise. */
  set(row: PreparedRow): Promise<boolean> {
    const { lane } = this.#parts
    // Only behind what is last: what was removed between two sets of a key is removed.
    if (this.#waiting && lane.last === this.#waiting && this.#waiting.takes(row)) return this.#waiting.add(row)
    const batch = new Batch((rows, issuedAtMs) => this.#write(rows, issuedAtMs))
    this.#waiting = batch
    const done = batch.add(row)
    lane.add(batch)
    return done
  }

  async #write(rows: readonly PreparedRow[], issuedAtMs: number): Promise<void> {
    const { origin, place, put, writer, capacity } = this.#parts
    const slots = rows.map(({ slot }) => slot)
    const known = (): readonly unknown[] => [...locksOfSet(rows), origin, place.known, true, `{${slots.join(',')}}`, 0]
    const parameters = rowParameters(rows)
    await writer.run({ query: put, values: () => [...known(), ...parameters], slots, issuedAtMs })
    capacity.stored(rows.length, bytesOf(rows))
  }
}

/** Sets that become one transaction. */
class Batch implements Job {
  readonly what = 'put'
  readonly issuedAtMs: number = performance.now()
  readonly #write: (rows: readonly PreparedRow[], issuedAtMs: number) => Promise<void>
  /** By hash: of several sets of one key only the last one counts. */
  readonly #rows = new Map<string, PreparedRow>()
  readonly #done = Promise.withResolvers<boolean>()
  #bytes = 0

  constructor(write: (rows: readonly PreparedRow[], issuedAtMs: number) => Promise<void>) {
    this.#write = write
  }

  takes({ frame }: PreparedRow): boolean {
    return this.#rows.size < SETS_AT_ONCE_MAX && this.#bytes + frame.bytes.byteLength <= BYTES_AT_ONCE_MAX
  }

  add(row: PreparedRow): Promise<boolean> {
    this.#bytes += row.frame.bytes.byteLength
    this.#rows.set(row.hash, row)
    return this.#done.promise
  }

  async run(): Promise<void> {
    await this.#write([...this.#rows.values()], this.issuedAtMs)
    this.#done.resolve(true)
  }

  refuse(error: unknown): void {
    this.#done.reject(error)
  }
}

function bytesOf(rows: readonly PreparedRow[]): number {
  return rows.reduce((sum, { frame }) => sum + frame.bytes.byteLength - frame.valueAt, 0)
}
