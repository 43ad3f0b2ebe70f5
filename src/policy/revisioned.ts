import { FOREVER } from '../entry.ts'
import { invalidOption } from '../errors.ts'
import { isRevision, type Revision } from '../revision.ts'
import type { Policy } from './policy.ts'

/**
 * Data that is right as long as its source is unchanged: a value is fresh while the revision is the one that was read
 * before it was loaded. Every read asks for it, once for all who ask at the same time.
 *
 * @param revision a function of yours, `pgRevision(…)` or `sqliteRevision(…)`; one for all keys
 * @throws `invalid-option`
 * @example
 * revisioned(pgRevision(['vendors'], { client: pool }))
 */
export function revisioned(revision: Revision): Policy {
  if (!isRevision(revision)) {
    throw invalidOption('revisioned.revision', 'a function, pgRevision(…) or sqliteRevision(…)', revision)
  }
  return { kind: 'revisioned', freshMs: () => FOREVER, revision }
}
