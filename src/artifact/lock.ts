import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { TidemarkError } from '../errors.ts'
import { failureCode } from '../tier/sqlite/failure.ts'
import { unavailable } from './disk.ts'

/** Whoever waits longer is told: a change takes milliseconds, and the lock of a dead process is free at once. */
const WAIT_MS_MAX = 30_000
const PAUSE_MS_MAX = 20

/**
 * One writer at a time among all processes that share a root: a lock of the operating system, taken by way of a
 * SQLite file without content, because node has no other that a dying process gives back by itself. Waiting is real time.
 */
export class WriterLock {
  readonly #path: string
  #db: DatabaseSync | undefined
  #inode: number | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  /** Runs work as the only writer, in the order it was asked for. Errors: `artifact-busy`, and those of the work. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last
    const turn = Promise.withResolvers<void>()
    this.#last = turn.promise
    try {
      await before
      const db = await this.#acquire()
      try {
        return await work()
      } finally {
        if (db.isTransaction) db.exec('ROLLBACK')
      }
    } finally {
      turn.resolve()
    }
  }

  async close(): Promise<void> {
    await this.#last
    this.#letGo()
  }

  async #acquire(): Promise<DatabaseSync> {
    const deadline = performance.now() + WAIT_MS_MAX
    for (let attempt = 0; ; attempt++) {
      try {
        const db = this.#open()
        db.exec('BEGIN IMMEDIATE')
        // Deleted in between, the file locks nobody out.
        if (this.#isReplaced()) db.exec('ROLLBACK')
        else return db
      } catch (error) {
        const code = failureCode(error)
        if (code === 'tier-corrupt') this.#startOver()
        else if (code !== 'tier-busy') throw unavailable(this.#path, error)
      }
      if (performance.now() > deadline) throw busy(this.#path)
      const pauseMs = Math.min(PAUSE_MS_MAX, 1 + attempt) * (0.5 + Math.random())
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  #open(): DatabaseSync {
    if (this.#db && !this.#isReplaced()) return this.#db
    this.#letGo()
    // The folder too may have been deleted.
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
    createPrivately(this.#path)
    this.#db = new DatabaseSync(this.#path, { timeout: 0 })
    const { ino, size } = statSync(this.#path)
    this.#inode = ino
    // SQLite would begin a journal for an empty file, each time.
    if (size === 0) this.#db.exec('PRAGMA user_version = 1')
    return this.#db
  }

  #isReplaced(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode
  }

  /** Nothing is stored in the file, so one that is no database is worth nothing. */
  #startOver(): void {
    this.#letGo()
    rmSync(this.#path, { force: true })
  }

  #letGo(): void {
    this.#db?.close()
    this.#db = undefined
  }
}

/** Mode 0600 before SQLite opens it. */
export function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    // One that exists is not opened here: closing a second descriptor would drop this process's locks of it.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

function busy(path: string): TidemarkError {
  return new TidemarkError('artifact-busy', `Another process has held ${path} for ${WAIT_MS_MAX / 1000} s.`, {
    data: { path },
  })
}
