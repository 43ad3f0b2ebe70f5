import { TidemarkError, describe } from '../errors.ts'
import type { Revision, RevisionAnswer, RevisionBatch, RevisionSource } from '../revision.ts'
import { isPromise, type MaybePromise } from '../tier/tier.ts'

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
