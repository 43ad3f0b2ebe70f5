import { join } from 'node:path'
import { databaseFrom, type DatabaseOptions } from '@tidemark/database'
import { listFrom, wholeFrom, type Environment } from '@tidemark/serve'

/** How the service is to run. */
export interface Settings {
  readonly port: number
  readonly host: string
  readonly publicHosts: readonly string[]
  readonly database: DatabaseOptions
  /** The file of the cache. */
  readonly cachePath: string
  /** Fills an empty database, and offers a switch that takes it away. */
  readonly isDemo: boolean
}

/** A query may take as long as a reader waits for one. */
const QUERY_MS_MAX = 2_000

/**
 * `PORT` (8220), `HOST` (127.0.0.1), `DATA_DIR` (data), `DATABASE_URL`, `DB_SCHEMA` (projectstatus), `PUBLIC_HOSTS`, `DEMO` (0 or 1).
 * Throws a `RangeError` that names the variable.
 */
export function settingsFrom(env: Environment): Settings {
  return {
    port: wholeFrom(env, 'PORT', 8220, 65_535),
    host: env['HOST'] || '127.0.0.1',
    publicHosts: listFrom(env, 'PUBLIC_HOSTS'),
    database: { ...databaseFrom(env, 'projectstatus'), timeoutMs: QUERY_MS_MAX },
    cachePath: join(env['DATA_DIR'] || 'data', 'projectstatus.db'),
    isDemo: wholeFrom(env, 'DEMO', 0, 1) === 1,
  }
}
