// `tidemark/kysely`. A plugin of Kysely sees statements, but not whether they are committed; its driver sees both.

import { invalidOption } from '../errors.ts'
import { mutatedTables } from './kysely-tables.ts'
import { controlOf } from './transaction-control.ts'
import { UnitOfWork, type WriteListener } from './unit-of-work.ts'

/** A compiled query, as far as it is looked at. */
export interface KyselyQuery {
  readonly query: object
  readonly sql: string
}

/** What a query brings. */
export interface KyselyResult {
  readonly numAffectedRows?: bigint
  readonly rows: readonly unknown[]
}

/** A connection of a driver of Kysely. */
export interface KyselyConnection {
  executeQuery(query: never, ...rest: never[]): Promise<KyselyResult>
  streamQuery(query: never, chunkSize: number, ...rest: never[]): AsyncIterableIterator<KyselyResult>
}

/** A driver of Kysely. */
export interface KyselyDriver {
  init(...args: never[]): Promise<void>
  acquireConnection(...args: never[]): Promise<KyselyConnection>
  beginTransaction(connection: never, ...rest: never[]): Promise<void>
  commitTransaction(connection: never): Promise<void>
  rollbackTransaction(connection: never): Promise<void>
  savepoint?(connection: never, name: string, ...rest: never[]): Promise<void>
  rollbackToSavepoint?(connection: never, name: string, ...rest: never[]): Promise<void>
  releaseSavepoint?(connection: never, name: string, ...rest: never[]): Promise<void>
  releaseConnection(connection: never, ...rest: never[]): Promise<void>
  destroy(...args: never[]): Promise<void>
}

/** A dialect of Kysely: any of them. */
export interface KyselyDialect {
  createDriver(): KyselyDriver
}

/**
 * A dialect that tells a hook of every write, once it is committed. What is rolled back, also to a savepoint, is not told.
 * Resolves writes and commits after the hook was told. Raw SQL is not looked into: tell the hook yourself.
 *
 * @example
 * const db = new Kysely<Hub>({ dialect: watchWrites(new PostgresDialect({ pool }), tide.writeHook()) })
 */
export function watchWrites<D extends KyselyDialect>(dialect: D, hook: WriteListener): D {
  if (typeof dialect?.createDriver !== 'function') throw invalidOption('dialect', 'a dialect of Kysely', dialect)
  if (typeof hook?.committed !== 'function') throw invalidOption('hook', 'made by tide.writeHook()', hook)
  return new Proxy(dialect, {
    get(target, name) {
      if (name === 'createDriver') return () => watchedDriver(target.createDriver(), hook)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function watchedDriver(driver: KyselyDriver, hook: WriteListener): KyselyDriver {
  const watch = new Watch(hook)
  const own = watch.methodsOf(driver)
  return new Proxy(driver, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return own[name as keyof typeof own] ?? value.bind(target)
    },
  })
}

/** What happens on the connections of one driver. */
class Watch {
  readonly #hook: WriteListener
  readonly #patched = new WeakSet<object>()
  readonly #units = new WeakMap<object, UnitOfWork>()
  /** Connections on which the driver itself runs `begin` or `commit` just now. */
  readonly #driven = new WeakSet<object>()

  constructor(hook: WriteListener) {
    this.#hook = hook
  }

  methodsOf(driver: KyselyDriver): Partial<KyselyDriver> {
    const driven = async (connection: object, work: () => Promise<void>): Promise<void> => {
      this.#driven.add(connection)
      await work().finally(() => this.#driven.delete(connection))
    }
    return {
      acquireConnection: async (...args: never[]) => this.#watched(await driver.acquireConnection(...args)),
      beginTransaction: async (connection: never, ...rest: never[]) => {
        await driven(connection, () => driver.beginTransaction(connection, ...rest))
        this.#units.set(connection, new UnitOfWork())
      },
      commitTransaction: async (connection: never) => {
        await driven(connection, () => driver.commitTransaction(connection)).catch(async (error: unknown) => {
          // The database says that it rolled back; after any other failure nobody knows, and it is told to be safe.
          if (error instanceof Error && error.name === 'AbortedTransactionError') this.#units.delete(connection)
          else await this.#committed(connection)
          throw error
        })
        await this.#committed(connection)
      },
      rollbackTransaction: async (connection: never) => {
        this.#units.delete(connection)
        await driven(connection, () => driver.rollbackTransaction(connection))
      },
      savepoint: async (connection: never, name: string, ...rest: never[]) => {
        await driven(connection, async () => driver.savepoint?.(connection, name, ...rest))
        this.#units.get(connection)?.savepoint(name)
      },
      rollbackToSavepoint: async (connection: never, name: string, ...rest: never[]) => {
        await driven(connection, async () => driver.rollbackToSavepoint?.(connection, name, ...rest))
        this.#units.get(connection)?.rollbackTo(name)
      },
      releaseSavepoint: async (connection: never, name: string, ...rest: never[]) => {
        await driven(connection, async () => driver.releaseSavepoint?.(connection, name, ...rest))
        this.#units.get(connection)?.release(name)
      },
    }
  }

  /** Drivers know their own connections by identity, so it is this one that is changed. */
  #watched(connection: KyselyConnection): KyselyConnection {
    if (this.#patched.has(connection)) return connection
    this.#patched.add(connection)
    const execute = connection.executeQuery.bind(connection) as (...args: unknown[]) => Promise<KyselyResult>
    const stream = connection.streamQuery?.bind(connection) as (
      ...args: unknown[]
    ) => AsyncIterableIterator<KyselyResult>
    const wrote = (query: KyselyQuery, affected: bigint | undefined): Promise<void> =>
      this.#wrote(connection, query, affected)
    const own = {
      executeQuery: async (query: KyselyQuery, ...rest: unknown[]): Promise<KyselyResult> => {
        const result = await execute(query, ...rest)
        await this.#controlled(connection, query.sql, result)
        await wrote(query, result.numAffectedRows)
        return result
      },
      async *streamQuery(query: KyselyQuery, ...rest: unknown[]): AsyncIterableIterator<KyselyResult> {
        let hasWritten = false
        try {
          for await (const chunk of stream(query, ...rest)) {
            hasWritten = true
            yield chunk
          }
          hasWritten = true
        } finally {
          // Also when the reader has had enough: by then the statement has written all it had to.
          if (hasWritten) await wrote(query, undefined)
        }
      },
    }
    return Object.assign(connection, own)
  }

  async #wrote(connection: object, { query }: KyselyQuery, affected: bigint | undefined): Promise<void> {
    const { own, within } = mutatedTables(query)
    const tables = [...new Set(affected === 0n ? within : [...own, ...within])]
    if (tables.length === 0) return
    const unit = this.#units.get(connection)
    if (unit) unit.wrote(tables)
    else await this.#hook.committed(tables)
  }

  /** A transaction that the application itself begins and ends, as raw SQL on one connection. */
  async #controlled(connection: object, sql: string, { rows }: KyselyResult): Promise<void> {
    const control = this.#driven.has(connection) ? undefined : controlOf(sql)
    if (!control) return
    const unit = this.#units.get(connection)
    if (control.kind === 'begin') this.#units.set(connection, new UnitOfWork())
    else if (control.kind === 'savepoint') unit?.savepoint(control.name)
    else if (control.kind === 'rollback-to') unit?.rollbackTo(control.name)
    else if (control.kind === 'release') unit?.release(control.name)
    else {
      // PostgreSQL answers a commit of what has failed with a rollback.
      const [first] = rows as readonly ({ readonly command?: unknown } | undefined)[]
      if (control.kind === 'rollback' || first?.command === 'ROLLBACK') this.#units.delete(connection)
      await this.#committed(connection)
    }
  }

  async #committed(connection: object): Promise<void> {
    const unit = this.#units.get(connection)
    this.#units.delete(connection)
    if (unit) await this.#hook.committed(unit.tables)
  }
}
