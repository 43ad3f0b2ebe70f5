import { join } from 'node:path'
import type { Environment } from '@tidemark/serve'
import type { ListenSource, PgClient } from 'tidemark/postgres'
import { openEmbedded } from './embedded.ts'
import { openServer } from './server.ts'

/** Asks questions. */
export interface Queries {
  /** The rows of one statement. `values` take the places of `$1`, `$2`, … */
  readonly query: <R extends object = Readonly<Record<string, unknown>>>(
    text: string,
    values?: readonly unknown[],
  ) => Promise<R[]>
}

/** An open database. */
export interface Database extends Queries, AsyncDisposable {
  /** `postgres`: a server; `pglite`: inside this process. */
  readonly kind: 'postgres' | 'pglite'
  /** Where the service's tables lie; first in the search path of every connection. */
  readonly schema: string
  /** A `Pool` of `pg`, or a `PGlite`: for `pgRevision`, `installRevisions` and dialects of Kysely. */
  readonly client: PgClient
  /** For `pgListen`. */
  readonly listenSource: ListenSource
  /** Runs several statements; without values. Not a transaction unless they say so. */
  script(statements: string): Promise<void>
  /**
   * Commits what `work` did, or rolls it back if it throws. `work` must use the queries it is handed: the embedded
   * database has one connection only.
   */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Options of {@link openDatabase}. */
export interface DatabaseOptions {
  /** Letters, digits and `_`, at most 40 of them. It need not exist; `migrate` makes it. */
  readonly schema: string
  /** `postgres://…`; without it the database is an embedded one. */
  readonly url?: string | undefined
  /** The folder an embedded database lies in; without it it is in memory only. */
  readonly dataDir?: string | undefined
  /**
   * A server may take so many milliseconds for a connection, and for a statement: then that is cancelled, and where not even
   * that is answered, its connection is given up. Without it a statement may take for ever. An embedded one has no limit.
   */
  readonly timeoutMs?: number | undefined
}

/** `DATABASE_URL`, `DATA_DIR` (data), `DB_SCHEMA` (the service's name). Throws a `RangeError` that names the variable. */
export function databaseFrom(env: Environment, service: string): DatabaseOptions {
  const schema = env['DB_SCHEMA'] || service
  if (!isName(schema)) throw new RangeError(`Expected DB_SCHEMA to be ${NAME}, got '${schema}'.`)
  const url = env['DATABASE_URL'] || undefined
  if (url !== undefined && !/^postgres(ql)?:\/\//.test(url))
    throw new RangeError('Expected DATABASE_URL to be like postgres://user@host:5432/database.')
  return { schema, url, dataDir: join(env['DATA_DIR'] || 'data', `${schema}.pglite`) }
}

/**
 * Opens the database of a service. A server is not contacted yet: it may be down. Errors: `RangeError` for a schema that
 * cannot be one; an `Error` when another process has the embedded database open.
 *
 * @example
 * await using database = await openDatabase(databaseFrom(process.env, 'statehub'))
 */
export async function openDatabase({ schema, url, dataDir, timeoutMs }: DatabaseOptions): Promise<Database> {
  if (!isName(schema)) throw new RangeError(`Expected the schema to be ${NAME}, got '${schema}'.`)
  return url === undefined ? openEmbedded(schema, dataDir) : openServer(schema, url, timeoutMs)
}

const NAME = "a name of small letters, digits and '_' that begins with a letter, at most 40 long"

/** Such names need no quotes. 40: names that are made of it have to fit into PostgreSQL's 63. */
function isName(schema: string): boolean {
  return /^[a-z][a-z0-9_]{0,39}$/.test(schema) && !schema.startsWith('pg_')
}
