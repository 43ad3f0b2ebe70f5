import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import type { Names } from './names.ts'
import { IS_PAST } from './selection.ts'
import type { ValueFiles } from '../value-files.ts'
import type { Writer } from './writer.ts'

const PATIENCE_MS = 1_000
/** A slice of the walk aims at this long; the rows it takes adapt to the machine and to the rows' size. */
const SLICE_MS = 3
const SLICE_ROWS_MIN = 200
const SLICE_ROWS_MAX = 20_000
const FILES_EVERY = 64

/** What a sweep removed under one name. */
export type SweptReport = (name: string, count: number) => void

/** Physically drops what is past its time, what was cleared by name, and files no row names; one short slice a call. */
export class Sweeper {
  readonly #database: Database
  readonly #writer: Writer
  readonly #names: Names
  readonly #files: ValueFiles | undefined
  readonly #report: SweptReport
  #cursor = 0
  #sliceRows = 2_000
  #slices = 0

  constructor(database: Database, writer: Writer, names: Names, files: ValueFiles | undefined, report: SweptReport) {
    this.#database = database
    this.#writer = writer
    this.#names = names
    this.#files = files
    this.#report = report
  }

  async sweep(now: number, limit: number): Promise<number> {
    const cleared = await this.#sweepCleared(limit)
    if (cleared > 0) return cleared
    if (++this.#slices % FILES_EVERY === 0) this.#collectFiles(limit)
    const range = this.#database.use((connection) => this.#nextRange(connection))
    const startedAt = performance.now()
    const past = this.#database.use(
      (connection) =>
        connection
          .statement(`SELECT name, count(*) FROM entries WHERE id > ? AND id <= ? AND ${IS_PAST} GROUP BY name`)
          .all(range.from, range.to, now) as unknown as [number, number][],
    )
    this.#adapt(performance.now() - startedAt)
    return past.length === 0 ? 0 : await this.#drop(range, now, limit)
  }

  #drop(range: { from: number; to: number }, now: number, limit: number): Promise<number> {
    return this.#writer.write(PATIENCE_MS, ({ connection }) => {
      const rows = connection
        .statement(`SELECT id, name FROM entries WHERE id > ? AND id <= ? AND ${IS_PAST} LIMIT ?`)
        .all(range.from, range.to, now, limit) as unknown as [number, number][]
      const counts = new Map<number, number>()
      for (const [id, name] of rows) {
        connection.statement('DELETE FROM entries WHERE id = ?').run(id)
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }
      for (const [name, count] of counts) this.#report(this.#names.nameOf(connection, name) ?? '', count)
      // What the limit left over is met again in the next round.
      if (rows.length === limit) this.#cursor = range.from
      return rows.length
    })
  }

  /** The rows of names that were cleared: dead already, their space is returned here. */
  async #sweepCleared(limit: number): Promise<number> {
    const dropped = this.#database.use(
      (connection) =>
        connection.statement('SELECT id FROM names WHERE dropped = 1 LIMIT 1').get() as unknown as [number] | undefined,
    )
    if (!dropped) return 0
    return this.#writer.write(PATIENCE_MS, ({ connection }) => {
      const gone = connection
        .statement('DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE name = ? LIMIT ?)')
        .run(dropped[0], limit)
      if (Number(gone.changes) === 0) connection.statement('DELETE FROM names WHERE id = ?').run(dropped[0])
      return Number(gone.changes)
    })
  }

  #nextRange(connection: Connection): { from: number; to: number } {
    const from = this.#cursor
    const [to, rows] = connection
      .statement('SELECT max(id), count(*) FROM (SELECT id FROM entries WHERE id > ? ORDER BY id LIMIT ?)')
      .get(from, this.#sliceRows) as unknown as [number | null, number]
    this.#cursor = to === null || rows < this.#sliceRows ? 0 : to
    return { from, to: to ?? from }
  }

  #collectFiles(limit: number): void {
    this.#files?.collect(
      (name) =>
        this.#database.use(
          (connection) =>
            connection.statement('SELECT 1 FROM entries WHERE value = ? AND format >= 8 LIMIT 1').get(name) !==
            undefined,
        ),
      limit,
    )
  }

  #adapt(tookMs: number): void {
    if (tookMs > SLICE_MS) this.#sliceRows = Math.max(SLICE_ROWS_MIN, Math.floor(this.#sliceRows / 2))
    else if (tookMs < SLICE_MS / 3) this.#sliceRows = Math.min(SLICE_ROWS_MAX, this.#sliceRows * 2)
  }
}
