import { TidemarkError } from '../../errors.ts'
import type { Changes } from './changes.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { isStatementFailure } from './failure.ts'

/** One write in the queue. `work` runs inside the shared transaction; it adds the slots it changes to `touched`. */
interface Job {
  readonly work: (connection: Connection, touched: number[]) => unknown
  readonly deadlineMs: number
  readonly settle: (outcome: { value: unknown } | { error: unknown }) => void
}

const RETRY_MS_MIN = 1
const RETRY_MS_MAX = 25

/**
 * Group commit: writes queued in one turn of the event loop share a transaction, each resolves after its commit. While
 * another process holds the lock the queue waits outside SQLite, so the event loop stays free (contract C3, `busy-database`).
 */
export class Writer {
  readonly #database: Database
  readonly #changes: Changes
  #queue: Job[] = []
  #scheduled = false
  #retryMs = RETRY_MS_MIN
  /** Runs at the end of every transaction that stored something: keeps the capacity. */
  afterWork: (connection: Connection) => void = () => {}

  constructor(database: Database, changes: Changes) {
    this.#database = database
    this.#changes = changes
  }

  /**
   * Queues a write. Rejects with `tier-busy` when the lock was not free for `patienceMs`, and with the tier's other
   * failures as they come.
   */
  write<T>(patienceMs: number, work: (connection: Connection, touched: number[]) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({
        work,
        deadlineMs: performance.now() + patienceMs,
        settle: (outcome) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value as T)),
      })
      if (this.#scheduled) return
      this.#scheduled = true
      setImmediate(() => this.flush())
    })
  }

  /** Commits what is queued now, if the lock is free. */
  flush(): void {
    this.#scheduled = false
    const jobs = this.#queue
    this.#queue = []
    if (jobs.length === 0) return
    try {
      const outcomes = this.#database.use((connection) => this.#commit(connection, jobs))
      this.#retryMs = RETRY_MS_MIN
      jobs.forEach((job, i) => job.settle(outcomes[i] as { value: unknown }))
    } catch (error) {
      this.#changes.onUncertain()
      if (error instanceof TidemarkError && error.code === 'tier-busy') this.#waitFor(jobs, error)
      else for (const job of jobs) job.settle({ error })
    }
  }

  #commit(connection: Connection, jobs: readonly Job[]): ({ value: unknown } | { error: unknown })[] {
    connection.db.exec('BEGIN IMMEDIATE')
    this.#changes.begin(connection)
    const touched: number[] = []
    const outcomes = jobs.map((job) => run(job, connection, touched))
    if (touched.length > 0) this.#changes.record(connection, touched)
    this.afterWork(connection)
    connection.db.exec('COMMIT')
    if (touched.length > 0) this.#changes.committed()
    return outcomes
  }

  /** Puts the jobs back in front and tries again soon; those whose time is over are told. */
  #waitFor(jobs: readonly Job[], error: TidemarkError): void {
    const now = performance.now()
    const waiting = jobs.filter((job) => job.deadlineMs > now)
    for (const job of jobs) if (job.deadlineMs <= now) job.settle({ error })
    this.#queue = [...waiting, ...this.#queue]
    if (this.#queue.length === 0 || this.#scheduled) return
    this.#scheduled = true
    setTimeout(() => this.flush(), this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX)
  }
}

/** A statement that fails on its own data fails alone; anything else ends the transaction for all. */
function run(job: Job, connection: Connection, touched: number[]): { value: unknown } | { error: unknown } {
  try {
    return { value: job.work(connection, touched) }
  } catch (error) {
    if (!isStatementFailure(error)) throw error
    return { error }
  }
}
