import { isTidemarkError } from '../../errors.ts'
import type { Batch } from './batch.ts'
import type { Folder } from './folder.ts'
import type { Log } from './log.ts'
import type { PreparedEntry } from './prepare.ts'
import { removalOf } from './record.ts'
import type { Replica } from './replica.ts'
import { NONE } from './table.ts'

/** What a full disk is met with. */
export interface FullDiskParts {
  readonly folder: Folder
  readonly log: Log
  readonly replica: Replica
  /** The folder was emptied. */
  readonly emptied: (reason: string) => void
  /** Not even that could be done. */
  readonly failed: (error: unknown) => void
}

/**
 * What becomes of a change that found the disk full (contract C3, `disk-full`). A removal takes a line, and for that a
 * little space is kept in reserve. When that is used up too, the folder is emptied: an empty cache is right, one with
 * removed or replaced entries in it is not.
 */
export class FullDisk {
  readonly #folder: Folder
  readonly #log: Log
  readonly #replica: Replica
  readonly #emptied: (reason: string) => void
  readonly #failed: (error: unknown) => void

  constructor(parts: FullDiskParts) {
    this.#folder = parts.folder
    this.#log = parts.log
    this.#replica = parts.replica
    this.#emptied = parts.emptied
    this.#failed = parts.failed
  }

  /** Tries a failed removal again; throws `error` if the disk was not its trouble. */
  async removeAgain(write: () => Promise<number>, error: unknown): Promise<number> {
    if (!isTidemarkError(error, 'tier-full')) throw error
    try {
      this.#folder.useReserve()
      return await write()
    } catch (again) {
      if (!isTidemarkError(again, 'tier-full')) throw again
    }
    this.#startOver()
    return write()
  }

  /** After sets found no room: what they were to replace may not be found any more. At once, so that no later set is undone. */
  removeReplaced(entries: readonly PreparedEntry[]): void {
    const compose = (batch: Batch): void => {
      const { catalog, hash } = this.#replica
      for (const { entry } of entries) {
        const { key } = entry
        if (catalog.table.find(hash.of(key)) === NONE) continue
        batch.record(removalOf({ kind: 'key', key }))
      }
    }
    try {
      this.#folder.useReserve()
      this.#log.append(compose)
    } catch {
      this.#startOverIfPossible()
    }
  }

  #startOverIfPossible(): void {
    try {
      this.#startOver()
    } catch (error) {
      // The sets fail as well, and are journaled by whoever asked for them.
      this.#failed(error)
    }
  }

  #startOver(): void {
    this.#log.startOver()
    this.#emptied('the disk is full and a removal could not be written, so the folder was emptied')
  }
}
