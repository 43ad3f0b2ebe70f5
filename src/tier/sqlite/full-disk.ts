import { isTidemarkError } from '../../errors.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import type { Names } from './names.ts'
import type { PreparedRow } from './row.ts'

const REASON = 'the disk is full and a removal could not be written, so the file was emptied'

/**
 * What becomes of a change that found the disk full (contract C3, `disk-full`). In WAL mode even a removal needs space,
 * until the log can start again from its beginning. When it cannot, the file is thrown away: an empty cache is right, one
 * with removed or replaced entries in it is not.
 */
export class FullDisk {
  readonly #database: Database
  readonly #names: Names

  constructor(database: Database, names: Names) {
    this.#database = database
    this.#names = names
  }

  /** Tries a failed removal again; throws `error` if the disk was not its trouble. */
  async removeAgain(write: () => Promise<number>, error: unknown): Promise<number> {
    if (!isTidemarkError(error, 'tier-full')) throw error
    try {
      this.#restartLog()
      return await write()
    } catch (again) {
      if (!isTidemarkError(again, 'tier-full')) throw again
    }
    this.#database.startOver(REASON)
    return write()
  }

  /**
   * After sets found no room: what they were to replace may not be found any more. At once, so that a later set of the
   * same key is not undone.
   */
  removeReplaced(rows: readonly PreparedRow[]): void {
    if (!this.#database.use((connection) => rows.some((row) => this.#replaces(row, connection)))) return
    try {
      this.#restartLog()
      this.#database.use((connection) => {
        connection.db.exec('BEGIN IMMEDIATE')
        for (const row of rows)
          connection.statement('DELETE FROM entries WHERE kh = ?').run(this.#hashOf(row, connection))
        connection.db.exec('COMMIT')
      })
    } catch {
      this.#database.startOver(REASON)
    }
  }

  #replaces(row: PreparedRow, connection: Connection): boolean {
    return connection.statement('SELECT 1 FROM entries WHERE kh = ?').get(this.#hashOf(row, connection)) !== undefined
  }

  #hashOf(row: PreparedRow, connection: Connection): number {
    const { name, id } = row.entry.key
    return connection.hash.of(this.#names.find(connection, name) ?? 0, id)
  }

  #restartLog(): void {
    // RESTART, not TRUNCATE: the blocks the log has are the only ones there are.
    this.#database.use((connection) => connection.db.exec('PRAGMA wal_checkpoint(RESTART)'))
  }
}
