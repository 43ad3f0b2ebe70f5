// `tidemark/drizzle`. Drizzle calls a cache's `onMutate` while the statement is on its way, in transactions too; so it is
// its session that is watched: there a statement is known by its tables, and has an end.

import { invalidOption } from '../errors.ts'
import { isPromise } from '../tier/tier.ts'
import { mutatedTables } from './drizzle-tables.ts'
import { UnitOfWork, type WriteListener } from './unit-of-work.ts'

/** A database or transaction of Drizzle, whatever its driver. */
export interface DrizzleDatabase {
  readonly _: object
  transaction(...args: never[]): unknown
}

interface Session {
  prepareQuery(...args: unknown[]): Record<string, unknown>
  transaction(work: (tx: Transaction) => unknown, ...rest: unknown[]): unknown
}

interface Transaction {
  readonly _: { readonly session?: Session }
  readonly session?: Session
  transaction?(work: (tx: Transaction) => unknown, ...rest: unknown[]): unknown
}

/** How statements of SQLite are run; all others only have `execute`. */
const SQLITE_METHODS = ['run', 'all', 'get', 'values'] as const

/**
 * Makes a database tell a hook of every write, once it is committed. What is rolled back, also a nested transaction, is
 * not told. Writes and transactions resolve after the hook was told. Raw SQL is not looked into: tell the hook yourself.
 * Returns the database it was given.
 *
 * @example
 * const db = watchWrites(drizzle(pool), tide.writeHook())
 */
export function watchWrites<D extends DrizzleDatabase>(db: D, hook: WriteListener): D {
  const session = sessionOf(db)
  if (!session) throw invalidOption('db', 'a database of drizzle-orm', db)
  if (typeof hook?.committed !== 'function') throw invalidOption('hook', 'made by tide.writeHook()', hook)
  watchSession(session, new Watch(hook))
  return db
}

/** What one session writes: into a transaction while there is one, else each statement by itself. */
class Watch {
  readonly #hook: WriteListener
  unit: UnitOfWork | undefined

  constructor(hook: WriteListener, unit?: UnitOfWork) {
    this.#hook = hook
    this.unit = unit
  }

  within(unit: UnitOfWork): Watch {
    return new Watch(this.#hook, unit)
  }

  /** After a statement. */
  wrote(tables: readonly string[], result: unknown, isPromise: boolean): unknown {
    if (!this.unit) return this.committed(tables, result, isPromise)
    this.unit.wrote(tables)
    return result
  }

  /** What came as a promise waits until the hook was told; what came at once cannot. */
  committed(tables: readonly string[], result: unknown, isPromise: boolean): unknown {
    const told = this.#hook.committed(tables)
    return isPromise ? told.then(() => result) : result
  }
}

const watched = new WeakMap<Session, Watch>()

function watchSession(session: Session, watch: Watch): void {
  if (watched.has(session)) return
  watched.set(session, watch)
  const prepareQuery = session.prepareQuery.bind(session)
  const transaction = session.transaction.bind(session)
  session.prepareQuery = (...args) => {
    const prepared = prepareQuery(...args)
    const tables = mutatedTables(args)
    if (tables.length > 0) watchPrepared(prepared, tables, watch)
    return prepared
  }
  session.transaction = (work, ...rest) => {
    const unit = new UnitOfWork()
    const outer = watch.unit
    const begun = (tx: Transaction): unknown => {
      const inner = sessionOf(tx)
      // Some drivers run transactions on the session itself, others make another one.
      if (inner === session) watch.unit = unit
      else if (inner) watchSession(inner, watch.within(unit))
      watchNested(tx, unit)
      return work(tx)
    }
    const over = (): void => void (watch.unit = outer)
    return after(
      () => transaction(begun, ...rest),
      (result, isPromise) => {
        over()
        return watch.committed(unit.tables, result, isPromise)
      },
      over,
    )
  }
}

/** A transaction inside a transaction is a savepoint: what it wrote counts when it was not rolled back. */
function watchNested(tx: Transaction, unit: UnitOfWork): void {
  const transaction = tx.transaction?.bind(tx)
  if (!transaction) return
  let depth = 0
  tx.transaction = (work, ...rest) => {
    const name = `nested ${++depth}`
    unit.savepoint(name)
    const begun = (inner: Transaction): unknown => {
      watchNested(inner, unit)
      return work(inner)
    }
    return after(
      () => transaction(begun, ...rest),
      (result) => {
        unit.release(name)
        return result
      },
      () => unit.rollbackTo(name),
    )
  }
}

function watchPrepared(prepared: Record<string, unknown>, tables: readonly string[], watch: Watch): void {
  const methods = 'run' in prepared ? SQLITE_METHODS : (['execute'] as const)
  for (const name of methods) {
    const method = prepared[name]
    if (typeof method !== 'function') continue
    prepared[name] = (...args: unknown[]): unknown =>
      after(
        () => method.apply(prepared, args) as unknown,
        (result, isPromise) => watch.wrote(tables, result, isPromise),
      )
  }
}

/** Runs what may answer at once or later, and goes on when it has. */
function after(
  work: () => unknown,
  done: (result: unknown, isPromise: boolean) => unknown,
  failed: () => void = () => {},
): unknown {
  let result: unknown
  try {
    result = work()
  } catch (error) {
    failed()
    throw error
  }
  if (!isPromise(result)) return done(result, false)
  return result.then(
    (it) => done(it, true),
    (error: unknown) => {
      failed()
      throw error
    },
  )
}

function sessionOf(db: Transaction | undefined): Session | undefined {
  const session = db?._?.session ?? db?.session
  return typeof session?.prepareQuery === 'function' && typeof session.transaction === 'function' ? session : undefined
}
