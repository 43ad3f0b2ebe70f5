import type { RevisionSource } from '../../revision.ts'
import type { PgListen } from './listen.ts'

/** A revision of tables in PostgreSQL, with what its batch has to know. */
export interface PgRevision extends RevisionSource {
  readonly settings: PgRevisionSettings
}

/** The options of a revision, checked and completed. */
export interface PgRevisionSettings {
  readonly schema: string
  readonly listen: PgListen | undefined
  /** Kept by triggers unless this is there. */
  readonly watermark: WatermarkSettings | undefined
}

/** What the mode `watermark` goes by. */
export interface WatermarkSettings {
  readonly columnOf: (table: string) => string
  readonly overlapMs: number
  readonly rebuildMs: number
}
