// A revision is a cheap fingerprint of a source: as long as it is the same, so is the data.

import { TidemarkError, describe } from '../errors.ts'
import { isPromise, type MaybePromise } from '../tier/tier.ts'

/**
 * Tells the revision of what a section of a view is built from. A function of the application's own, or one that is made:
 * `pgRevision` of `tidemark/postgres`, `sqliteRevision`. Equal answers mean equal data; it must be read from the same
 * server the data comes from, and sees committed data only.
 */
export type Revision = RevisionFunction | RevisionSource

/** A revision function of the application: anything cheap that changes whenever the data does. */
export type RevisionFunction = (context: { readonly signal: AbortSignal }) => MaybePromise<string | number | bigint>

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
  read(sources: readonly RevisionSource[], signal: AbortSignal): MaybePromise<RevisionAnswer>
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

/**
 * Asks for all revisions at the same time, those of one batch in one round trip; answers in their order.
 * Errors: what a revision throws; `invalid-value` for an answer that is none.
 */
export async function readRevisions(revisions: readonly Revision[], signal: AbortSignal): Promise<RevisionAnswer> {
  const batches = new Map<RevisionBatch, RevisionSource[]>()
  for (const revision of revisions) {
    if (typeof revision === 'function') continue
    const together = batches.get(revision.batch)
    if (!together) batches.set(revision.batch, [revision])
    else if (!together.includes(revision)) together.push(revision)
  }
  const answers = new Map<Revision, MaybePromise<string>>()
  let ageMs = 0
  // All are asked before any is waited for.
  const asked = [...batches].map(([batch, sources]) => {
    const answer = batch.read(sources, signal)
    const take = (it: RevisionAnswer): void => {
      ageMs = Math.max(ageMs, it.ageMs)
      for (const [i, source] of sources.entries()) answers.set(source, checked(it.revisions[i]))
    }
    return isPromise(answer) ? answer.then(take) : take(answer)
  })
  const functions = new Set(revisions.filter((it) => typeof it === 'function'))
  const called = [...functions].map(async (revision) => answers.set(revision, checked(await revision({ signal }))))
  await Promise.all([...asked, ...called])
  return { revisions: revisions.map((revision) => answers.get(revision) as string), ageMs }
}

function checked(answer: unknown): string {
  if (typeof answer === 'string' && answer !== '') return answer
  if (typeof answer === 'number' || typeof answer === 'bigint') return String(answer)
  throw new TidemarkError(
    'invalid-value',
    `Expected a revision to be a text that is not empty, or a number, got ${describe(answer)}.`,
    { hint: 'A revision function tells what changes whenever the data does, also while there is no data.' },
  )
}
