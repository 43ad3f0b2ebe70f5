import { readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isTidemarkError, TidemarkError } from '../../errors.ts'
import type { TierReport } from '../tier.ts'
import { Connection, type ConnectionSettings } from './connection.ts'
import { tierFailure } from './failure.ts'

/**
 * The file through its troubles: opens it, translates what fails, moves a damaged one aside and starts a new one,
 * notices when it was deleted or replaced. Whoever holds rows of it listens to `onReplaced`.
 */
export class Database {
  readonly #settings: ConnectionSettings
  #connection: Connection | undefined
  #closed = false
  #readOnly = false
  #report: (news: TierReport) => void = () => {}
  /** Called with every connection before anything is read through it. */
  onOpened: (connection: Connection) => void = () => {}
  /** Called after another file took the place of the one that was open: everything known of it is void. */
  onReplaced: () => void = () => {}

  constructor(settings: ConnectionSettings) {
    this.#settings = settings
  }

  set report(report: (news: TierReport) => void) {
    this.#report = report
  }

  get path(): string {
    return this.#settings.path
  }

  get readOnly(): boolean {
    return this.#readOnly
  }

  /** Only looked at, the file stays as it is: one that is missing is not made, a damaged one not moved. */
  set readOnly(readOnly: boolean) {
    // What is in memory cannot be opened again.
    if (readOnly === this.#readOnly || this.path === ':memory:') return
    this.#readOnly = readOnly
    if (!this.#connection) return
    this.#connection.close()
    this.#connection = undefined
    this.onReplaced()
  }

  /** Runs work on the open file. Throws `tier-…` errors only; after damage the file is new and the work was not done. */
  use<T>(work: (connection: Connection) => T): T {
    const connection = this.open()
    try {
      return work(connection)
    } catch (error) {
      throw this.failed(error, connection)
    }
  }

  /**
   * Opens the file if it is not open. A damaged one is moved aside.
   * Errors: `tier-foreign`, `tier-newer`, `tier-unavailable`, `tier-read-only`, `tier-full`, `tier-busy`, `closed`.
   */
  open(): Connection {
    if (this.#connection) return this.#connection
    if (this.#closed) throw new TidemarkError('closed', `The SQLite tier at ${this.path} was closed.`)
    try {
      return this.#connect()
    } catch (error) {
      const failure = tierFailure(error, this.path)
      if (failure.code !== 'tier-corrupt') throw failure
      if (this.#readOnly) throw untouched(failure)
      this.#quarantine(failure)
    }
    try {
      return this.#connect()
    } catch (error) {
      throw tierFailure(error, this.path)
    }
  }

  /** Looks whether the file is still the one at its path; if not, lets go of it, so that the next use opens the new one. */
  checkFile(): void {
    if (!this.#connection?.isReplaced()) return
    this.#connection.close()
    this.#connection = undefined
    this.#report({ kind: 'quarantined', reason: `${this.path} was deleted or replaced; starting anew` })
    this.onReplaced()
  }

  /** Throws the file away and starts a new one: what cannot be removed from it must not be found in it. */
  startOver(reason: string): void {
    this.#connection?.close()
    this.#connection = undefined
    for (const file of [this.path, `${this.path}-wal`, `${this.path}-shm`]) rmSync(file, { force: true })
    this.#report({ kind: 'quarantined', reason })
    this.onReplaced()
    this.open()
  }

  close(): void {
    this.#closed = true
    this.#connection?.close()
    this.#connection = undefined
  }

  /** What a failure on an open file comes to, as an error of ours; a damaged file is moved aside. */
  failed(error: unknown, connection: Connection): TidemarkError {
    if (connection.db.isOpen && connection.db.isTransaction) rollBack(connection)
    if (isTidemarkError(error) && !error.code.startsWith('tier-')) return error
    const failure = tierFailure(error, this.path)
    if (!connection.db.isOpen && this.#connection === connection) this.#connection = undefined
    if (failure.code === 'tier-corrupt' && this.#connection === connection) {
      connection.close()
      this.#connection = undefined
      // Another process may have moved the damaged file aside already: then the path leads to a good one.
      if (!connection.isReplaced() && !this.#readOnly) this.#quarantine(failure)
      this.onReplaced()
      if (this.#readOnly) return untouched(failure)
    }
    return failure
  }

  #connect(): Connection {
    const connection = new Connection({ ...this.#settings, readOnly: this.#readOnly })
    try {
      this.onOpened(connection)
    } catch (error) {
      connection.close()
      throw error
    }
    this.#connection = connection
    return connection
  }

  /** Moves the damaged file aside as `.corrupt-<time>`; only the newest such file is kept. */
  #quarantine(failure: TidemarkError): void {
    const { path } = this
    const folder = dirname(path)
    for (const name of readdirSync(folder)) {
      if (name.startsWith(`${basename(path)}.corrupt-`)) rmSync(join(folder, name), { force: true })
    }
    const aside = `${path}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
    renameSync(path, aside)
    rmSync(`${path}-wal`, { force: true })
    rmSync(`${path}-shm`, { force: true })
    this.#report({
      kind: 'corrupt',
      key: undefined,
      message: `${path} was damaged (${failure.message}) and moved to ${aside}`,
    })
    this.#report({ kind: 'quarantined', reason: `the damaged file was moved to ${aside}` })
  }
}

/** The same failure, where nothing was done about it. */
function untouched({ message, cause, data }: TidemarkError): TidemarkError {
  const hint = 'The file is damaged and was left as it is: restore it, or name another one.'
  return new TidemarkError('tier-corrupt', message, { hint, data: { ...data }, cause })
}

function rollBack(connection: Connection): void {
  try {
    connection.db.exec('ROLLBACK')
  } catch {
    // A full or damaged disk can refuse even this; SQLite rolls back by itself when the connection closes.
    connection.close()
  }
}
