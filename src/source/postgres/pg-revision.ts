import { durationMs, type Duration } from '../../duration.ts'
import { invalidOption, refuseUnknown } from '../../errors.ts'
import { checkTables } from '../tables.ts'
import { batchOf } from './batch.ts'
import { isPgClient, type PgClient } from '../../pg/client.ts'
import { PgListen } from './listen.ts'
import { resolveSchema } from '../../pg/quote.ts'
import type { PgRevision, WatermarkSettings } from './settings.ts'

/** Options of {@link pgRevision}. */
export interface PgRevisionOptions {
  /**
   * A `Pool` or `Client` of `pg`, a `PGlite`, or postgres.js. It must reach the server the data is read from, and have no
   * transaction left open on it that writes.
   */
  readonly client: PgClient
  /**
   * `counters` (default) and `snapshot`: exact, kept by triggers; see `installRevisions` for their difference, which matters
   * to writers only. `watermark`: for databases that may not be altered; may miss deletes and late commits.
   */
  readonly mode?: 'counters' | 'snapshot' | 'watermark' | undefined
  /** The schema that `installRevisions` was told. Defaults to `tidemark`. */
  readonly schema?: string | undefined
  /** Saves asking while nothing was announced; made by `pgListen`. Not for `watermark`. */
  readonly listen?: PgListen | undefined
  /** `watermark`: the column that says when a row was changed, for all tables or by table. Defaults to `updated_at`. */
  readonly column?: string | Readonly<Record<string, string>> | undefined
  /** `watermark`: rows that are at most so much older than the newest are compared one by one. Defaults to 1 minute. */
  readonly overlap?: Duration | undefined
  /** `watermark`: after this everything counts as changed, for what was missed. Defaults to 1 hour. */
  readonly rebuildEvery?: Duration | undefined
}

const DEFAULT_OVERLAP_MS = 60_000
const DEFAULT_REBUILD_MS = 3_600_000
const OPTION_NAMES = ['client', 'mode', 'schema', 'listen', 'column', 'overlap', 'rebuildEvery'] as const

/**
 * The revision of some tables of a PostgreSQL database: equal exactly while nothing that was committed changed them
 * (in the mode `watermark`: while no change can be seen). The revisions of one client are read in one round trip.
 *
 * @param tables as the connection's search path names them
 * @throws `invalid-option`, `unknown-option`, `invalid-duration`; when it is read also `revision-not-installed`,
 *   `revision-table`, `revision-in-transaction`, and what the database says
 * @example
 * tide.view({ name: 'summary', maxStale: '5m', sections: {
 *   core: { revision: pgRevision(['topics', 'tasks'], { client: pool }), build: () => buildCore(pool) },
 * } })
 */
export function pgRevision(tables: readonly string[], options: PgRevisionOptions): PgRevision {
  refuseUnknown('pgRevision()', options, OPTION_NAMES)
  const { client, mode = 'counters', listen } = options
  if (!isPgClient(client))
    throw invalidOption('pgRevision.client', 'a Pool, Client, PGlite or postgres.js client', client)
  if (mode !== 'counters' && mode !== 'snapshot' && mode !== 'watermark')
    throw invalidOption('pgRevision.mode', "'counters', 'snapshot' or 'watermark'", mode)
  const isWatermark = mode === 'watermark'
  if (listen !== undefined && (!(listen instanceof PgListen) || isWatermark))
    throw invalidOption('pgRevision.listen', 'made by pgListen(), and left out in the mode watermark', listen)
  for (const option of ['column', 'overlap', 'rebuildEvery'] as const) {
    if (options[option] !== undefined && !isWatermark)
      throw invalidOption(`pgRevision.${option}`, 'left out but in the mode watermark', options[option])
  }
  return Object.freeze({
    tables: checkTables(tables, 'pgRevision.tables'),
    caveat: isWatermark ? 'may miss deletes and late commits' : undefined,
    batch: batchOf(client),
    settings: Object.freeze({
      schema: resolveSchema(options.schema, 'pgRevision.schema'),
      listen,
      watermark: isWatermark ? resolveWatermark(options) : undefined,
    }),
  })
}

function resolveWatermark(options: PgRevisionOptions): WatermarkSettings {
  const { column = 'updated_at' } = options
  const columns = typeof column === 'string' ? {} : column
  const isText = (it: unknown): boolean => typeof it === 'string' && it !== ''
  if (typeof columns !== 'object' || columns === null || !Object.values(columns).every(isText) || column === '')
    throw invalidOption('pgRevision.column', 'the name of a column, or an object of names by table', column)
  const rebuildMs = durationMs(options.rebuildEvery ?? DEFAULT_REBUILD_MS, 'pgRevision.rebuildEvery')
  if (rebuildMs < 1_000) throw invalidOption('pgRevision.rebuildEvery', 'at least a second', options.rebuildEvery)
  return {
    columnOf: (table) => columns[table] ?? (typeof column === 'string' ? column : 'updated_at'),
    overlapMs: Math.floor(durationMs(options.overlap ?? DEFAULT_OVERLAP_MS, 'pgRevision.overlap')),
    rebuildMs: Math.floor(rebuildMs),
  }
}
