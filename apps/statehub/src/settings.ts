import { databaseFrom, type DatabaseOptions } from '@tidemark/database'
import { listFrom, wholeFrom, type Environment } from '@tidemark/serve'
import type { SummaryOptions } from './summary/state-summary.ts'

/** How the service is to run. */
export interface Settings {
  readonly port: number
  readonly host: string
  readonly dataDir: string
  readonly database: DatabaseOptions
  readonly revisions: NonNullable<SummaryOptions['revisions']>
  readonly maxStaleMs: number
  readonly publicHosts: readonly string[]
  /** The seed a hub with nothing in it is filled with; 0: it stays empty. */
  readonly seed: number
}

const REVISIONS = ['asked', 'announced', 'watermark'] as const
const SECONDS_MAX = 86_400
/** Statements of the hub take milliseconds: one that takes longer has lost its connection, which must not stay taken. */
const QUERY_MS_MAX = 15_000

/**
 * `PORT` (8210), `HOST` (127.0.0.1), `DATA_DIR` (data), `DATABASE_URL` (none: an embedded database), `DB_SCHEMA`
 * (statehub), `REVISIONS` (asked), `MAX_STALE_S` (300), `PUBLIC_HOSTS`, `SEED` (0). Throws a `RangeError` that names the
 * variable.
 */
export function settingsFrom(env: Environment): Settings {
  const revisions = REVISIONS.find((it) => it === (env['REVISIONS'] || 'asked'))
  if (!revisions)
    throw new RangeError(`Expected REVISIONS to be one of ${REVISIONS.join(', ')}, got '${env['REVISIONS']}'.`)
  return {
    port: wholeFrom(env, 'PORT', 8210, 65_535),
    host: env['HOST'] || '127.0.0.1',
    dataDir: env['DATA_DIR'] || 'data',
    database: { ...databaseFrom(env, 'statehub'), timeoutMs: QUERY_MS_MAX },
    revisions,
    maxStaleMs: wholeFrom(env, 'MAX_STALE_S', 300, SECONDS_MAX) * 1_000,
    publicHosts: listFrom(env, 'PUBLIC_HOSTS'),
    seed: wholeFrom(env, 'SEED', 0, 999_999_999),
  }
}
