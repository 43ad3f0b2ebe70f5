import { checksumInSlices } from '../../codec/checksum.ts'
import { isText, withValue } from '../../codec/stored.ts'
import { hasPassed, type Clock } from '../../clock.ts'
import type { Entry } from '../../entry.ts'
import { isTidemarkError } from '../../errors.ts'
import type { Key } from '../../key.ts'
import type { MaybePromise, TierReport } from '../tier.ts'
import type { Capacity } from './capacity.ts'
import type { Database } from './database.ts'
import type { Names } from './names.ts'
import { IN_FILE, ROW_COLUMNS, checksumOfRow, entryOfRow, guardedOfRow, type Row } from './row.ts'
import type { ValueFiles } from '../value-files.ts'
import type { Writer } from './writer.ts'

const SELECT = `SELECT ${ROW_COLUMNS} FROM entries WHERE kh = ?`
const DROP_PATIENCE_MS = 100

/** What reading needs of the tier around it. */
export interface ReadsParts {
  readonly database: Database
  readonly names: Names
  readonly capacity: Capacity
  readonly files: ValueFiles | undefined
  readonly writer: Writer
  readonly clock: () => Clock
  readonly report: (news: TierReport) => void
}

/** Reads of single entries: one row, checked; large values from their file, in slices. A read never writes. */
export class Reads {
  readonly #parts: ReadsParts

  constructor(parts: ReadsParts) {
    this.#parts = parts
  }

  get(key: Key): MaybePromise<Entry | undefined> {
    const { database, names, capacity } = this.#parts
    const connection = database.open()
    try {
      const name = names.find(connection, key.name)
      if (name === undefined) return undefined
      const kh = connection.hash.of(name, key.id)
      const row = connection.statement(SELECT).get(kh) as unknown as Row | undefined
      // Another name or key may have the same hash.
      if (row === undefined || row[1] !== key.id || row[0] !== name) return undefined
      capacity.visit(kh)
      return row[9] < IN_FILE ? this.#entry(row, kh, key, row[12]) : this.#entryOfFile(row, kh, key, row[12] as string)
    } catch (error) {
      throw database.failed(error, connection)
    }
  }

  #entry(
    row: Row,
    kh: number,
    key: Key,
    data: string | Uint8Array | null,
    isChecked = false,
  ): MaybePromise<Entry | undefined> {
    try {
      const entry = entryOfRow(row, key, data, isChecked)
      if (entry.value instanceof Promise) return this.#unpacked(row, kh, entry)
      return hasPassed(entry.keepUntil, this.#parts.clock()) ? undefined : entry
    } catch (error) {
      return this.#unreadable(row, kh, key, error)
    }
  }

  async #unpacked(row: Row, kh: number, entry: Entry): Promise<Entry | undefined> {
    try {
      const whole = await withValue(entry)
      return hasPassed(whole.keepUntil, this.#parts.clock()) ? undefined : whole
    } catch (error) {
      return this.#unreadable(row, kh, entry.key, error)
    }
  }

  async #entryOfFile(row: Row, kh: number, key: Key, file: string): Promise<Entry | undefined> {
    const bytes = await this.#parts.files?.read(file)
    if (bytes === undefined || (await checksumInSlices(bytes, guardedOfRow(row))) !== checksumOfRow(row)) {
      this.#dropDamaged(row, kh, key, `The file ${file} of a large value is ${bytes ? 'damaged' : 'gone'}.`)
      return undefined
    }
    const data = isText(row[9] % IN_FILE) ? Buffer.from(bytes).toString('utf8') : bytes
    return this.#entry(row, kh, key, data, true)
  }

  /** A miss and a count. What a newer version wrote is left to it. */
  #unreadable(row: Row, kh: number, key: Key, error: unknown): undefined {
    const message = error instanceof Error ? error.message : String(error)
    if (isTidemarkError(error, 'tier-newer')) this.#parts.report({ kind: 'corrupt', key, message })
    else this.#dropDamaged(row, kh, key, message)
    return undefined
  }

  /** A damaged row is a miss and a count, once: it is removed, unless it was replaced meanwhile. */
  #dropDamaged(row: Row, kh: number, key: Key, message: string): void {
    const { writer, files, report, database } = this.#parts
    report({ kind: 'corrupt', key, message })
    if (database.readOnly) return
    const drop = async (): Promise<void> => {
      await writer.write(DROP_PATIENCE_MS, ({ connection }) => {
        connection.statement('DELETE FROM entries WHERE kh = ? AND crc = ?').run(kh, row[10])
      })
      if (row[9] >= IN_FILE) await files?.remove(row[12] as string)
    }
    drop().catch((error: unknown) => report({ kind: 'failed', operation: 'drop damaged row', error }))
  }
}
