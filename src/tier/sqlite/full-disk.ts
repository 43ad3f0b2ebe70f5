import { isTidemarkError } from '../../errors.ts'
import type { Database } from './database.ts'

/**
 * What becomes of a change that found the disk full (contract C3, `disk-full`). In WAL mode even a removal needs space,
 * until the log can start again from its beginning. When it cannot, the file is thrown away for a removal: an empty cache
 * is right, one with removed entries in it is not. A set gives up instead, but leaves no older value behind.
 */
export class FullDisk {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Tries a failed removal again; throws `error` if the disk was not its trouble. */
  async remove(write: () => Promise<number>, error: unknown): Promise<number> {
    if (!isTidemarkError(error, 'tier-full')) throw error
    try {
      return await this.#withRestartedLog(write)
    } catch (again) {
      if (!isTidemarkError(again, 'tier-full')) throw again
    }
    this.#database.startOver('the disk is full and a removal could not be written, so the file was emptied')
    return write()
  }

  /** Tries a failed set again; when that fails, removes the value it was to replace and throws. */
  async set(write: () => Promise<boolean>, removeOlder: () => Promise<void>, error: unknown): Promise<boolean> {
    if (!isTidemarkError(error, 'tier-full')) throw error
    try {
      return await this.#withRestartedLog(write)
    } catch (again) {
      await removeOlder()
      throw again
    }
  }

  #withRestartedLog<T>(write: () => Promise<T>): Promise<T> {
    // RESTART, not TRUNCATE: the blocks the log has are the only ones there are.
    this.#database.use((connection) => connection.db.exec('PRAGMA wal_checkpoint(RESTART)'))
    return write()
  }
}
