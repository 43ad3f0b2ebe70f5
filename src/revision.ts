// What a revision is, as a word of the whole project: a cheap fingerprint of a source. As long as it is the same, so is the
// data. How revisions are read is the business of the room `source`.

/**
 * Tells the revision of what a resource or a section of a view is made from. A function of the application's own, or one
 * that is made: `pgRevision` of `tidemark/postgres`, `sqliteRevision`. Equal answers mean equal data; it must be read from
 * the same server the data comes from, and sees committed data only.
 */
export type Revision = RevisionFunction | RevisionSource

/** A revision function of the application: anything cheap that changes whenever the data does. */
export type RevisionFunction = (context: {
  readonly signal: AbortSignal
}) => string | number | bigint | Promise<string | number | bigint>

/** A revision that is read together with others of the same batch. */
export interface RevisionSource {
  /** The tables it speaks for, as they were given. Write hooks go by them. */
  readonly tables: readonly string[]
  /** What it cannot see, for `explain`; `undefined` when it sees everything. */
  readonly caveat?: string | undefined
  /** Those with the same batch are asked in one round trip. */
  readonly batch: RevisionBatch
}

/** Reads the revisions of several sources at once. */
export interface RevisionBatch {
  /** The revisions in the order of the sources. */
  read(sources: readonly RevisionSource[], signal: AbortSignal): RevisionAnswer | Promise<RevisionAnswer>
}

/** What a batch answers. */
export interface RevisionAnswer {
  readonly revisions: readonly string[]
  /** How old the answer may be, in milliseconds: more than 0 when it was given without asking. */
  readonly ageMs: number
}

/** True for what can tell a revision. */
export function isRevision(value: unknown): value is Revision {
  if (typeof value === 'function') return true
  return typeof value === 'object' && value !== null && 'batch' in value && 'tables' in value
}
