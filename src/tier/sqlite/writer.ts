import { isTidemarkError, type TidemarkError } from '../../errors.ts'
import type { Changes } from './changes.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { isStatementFailure } from './failure.ts'
import type { Names } from './names.ts'
import type { PreparedRow } from './row.ts'
import type { WriteTarget } from './write-target.ts'
import { setAll } from './upsert.ts'

/** One write in the queue. `work` runs inside the shared transaction. */
interface Job {
  readonly work: (target: WriteTarget) => unknown
  readonly deadlineMs: number
  readonly settle: (outcome: Outcome) => void
}

type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** Explicit sets that are committed together: one promise for all. */
interface SetBatch {
  readonly rows: PreparedRow[]
  readonly deadlineMs: number
  readonly committed: PromiseWithResolvers<boolean>
}

/** A set or a removal waits this long for another process's lock; then it goes to the journal. */
export const CHANGE_PATIENCE_MS = 5_000
const RETRY_MS_MIN = 1
const RETRY_MS_MAX = 25

/**
 * Group commit: writes queued in one turn of the event loop share a transaction and resolve after its commit. While another
 * process holds the lock the queue waits outside SQLite, so the event loop stays free (contract C3, `busy-database`).
 */
export class Writer {
  readonly #database: Database
  readonly #names: Names
  readonly #changes: Changes
  /** In order; sets that follow each other lie in one batch. */
  #queue: (Job | SetBatch)[] = []
  #scheduled = false
  #retryMs = RETRY_MS_MIN
  /** Called when sets found the disk full. */
  onSetsRefused: (rows: readonly PreparedRow[]) => void = () => {}
  /** Runs at the end of every transaction: keeps the capacity. */
  afterWork: (connection: Connection) => void = () => {}

  constructor(database: Database, names: Names, changes: Changes) {
    this.#database = database
    this.#names = names
    this.#changes = changes
  }

  /**
   * Queues a write. Rejects with `tier-busy` when the lock was not free for `patienceMs`, and with the tier's other
   * failures as they come.
   */
  write<T>(patienceMs: number, work: (target: WriteTarget) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#queue.push({
      work,
      deadlineMs: performance.now() + patienceMs,
      settle: (outcome) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value as T)),
    })
    this.#schedule()
    return promise
  }

  /** Queues an explicit set. All sets that are committed together share the promise that comes back. */
  set(row: PreparedRow): Promise<boolean> {
    let batch = this.#queue.at(-1)
    if (!batch || 'work' in batch) {
      batch = {
        rows: [],
        deadlineMs: performance.now() + CHANGE_PATIENCE_MS,
        committed: Promise.withResolvers<boolean>(),
      }
      this.#queue.push(batch)
      this.#schedule()
    }
    batch.rows.push(row)
    return batch.committed.promise
  }

  /** Commits what is queued now, if the lock is free. */
  flush(): void {
    this.#scheduled = false
    const queue = this.#queue
    this.#queue = []
    if (queue.length === 0) return
    try {
      const outcomes = this.#database.use((connection) => this.#commit(connection, queue))
      this.#retryMs = RETRY_MS_MIN
      queue.forEach((it, i) => settle(it, outcomes[i] as Outcome))
    } catch (error) {
      this.#changes.onUncertain()
      if (isTidemarkError(error, 'tier-busy')) this.#waitFor(queue, error)
      else this.#refuse(queue, error)
    }
  }

  /** Resolves when everything that is queued is committed, or its patience is over. */
  async drain(): Promise<void> {
    this.flush()
    while (this.#queue.length > 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS_MAX))
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.flush())
  }

  #commit(connection: Connection, queue: readonly (Job | SetBatch)[]): Outcome[] {
    connection.statement('BEGIN IMMEDIATE').run()
    this.#changes.begin(connection)
    const target: WriteTarget = { connection, names: this.#names, changes: this.#changes, touched: [] }
    const outcomes = queue.map((it) => run(it, target))
    if (target.touched.length > 0) this.#changes.record(connection, target.touched)
    this.afterWork(connection)
    connection.statement('COMMIT').run()
    if (target.touched.length > 0) this.#changes.committed()
    return outcomes
  }

  /** Tells everyone; on a full disk, after what the sets were to replace is gone. */
  #refuse(queue: readonly (Job | SetBatch)[], error: unknown): void {
    const rows = queue.flatMap((it) => ('rows' in it ? it.rows : []))
    if (isTidemarkError(error, 'tier-full') && rows.length > 0) this.onSetsRefused(rows)
    for (const it of queue) settle(it, { error })
  }

  /** Puts the work back in front and tries again soon; whose time is over is told. */
  #waitFor(queue: readonly (Job | SetBatch)[], error: TidemarkError): void {
    const now = performance.now()
    const waiting = queue.filter((it) => it.deadlineMs > now)
    for (const it of queue) if (it.deadlineMs <= now) settle(it, { error })
    this.#queue = [...waiting, ...this.#queue]
    if (this.#queue.length === 0 || this.#scheduled) return
    this.#scheduled = true
    setTimeout(() => this.flush(), this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX)
  }
}

/** A statement that fails on its own data fails alone; anything else ends the transaction for all. */
function run(it: Job | SetBatch, target: WriteTarget): Outcome {
  try {
    if ('work' in it) return { value: it.work(target) }
    setAll(it.rows, target)
    return { value: true }
  } catch (error) {
    if (!isStatementFailure(error)) throw error
    return { error }
  }
}

function settle(it: Job | SetBatch, outcome: Outcome): void {
  if ('settle' in it) it.settle(outcome)
  else if ('error' in outcome) it.committed.reject(outcome.error)
  else it.committed.resolve(true)
}
