import { durationMs, type Duration } from '../duration.ts'
import { refuseUnknown } from '../errors.ts'
import { isRefresh, type ReadOptions } from '../load/read-options.ts'
import { CLOCK_SKEW_MS_MAX } from '../policy/judge.ts'
import type { Snapshot } from './snapshot.ts'

/** How one read of a list differs from the others. */
export interface CollectionReadOptions extends ReadOptions {
  /**
   * A list that is stored whole will do if the source was asked for its count less than this ago, whatever `freshness` says.
   * Defaults to 0.
   */
  readonly maxAge?: Duration | undefined
}

/** The options, checked. Errors: `unknown-option`, `invalid-option`, `invalid-duration`. */
export function resolveReadOptions(
  where: string,
  options: CollectionReadOptions = {},
): { readonly refresh: boolean; readonly maxAgeMs: number } {
  refuseUnknown(where, options, ['refresh', 'maxAge'])
  const { refresh, maxAge } = options
  return {
    refresh: isRefresh(where, { refresh }),
    maxAgeMs: maxAge === undefined ? 0 : durationMs(maxAge, `${where}.maxAge`),
  }
}

/** True when all of a list is there, nothing of it is in doubt, and its count was asked for less than `maxAgeMs` ago. */
export function isYoungEnough({ entry, items }: Snapshot, maxAgeMs: number, now: number): boolean {
  if (maxAgeMs === 0 || !entry || entry.staleAt !== undefined) return false
  const age = now - entry.loadedAt
  // One from the future comes from a stepped clock.
  if (age >= maxAgeMs || age < -CLOCK_SKEW_MS_MAX) return false
  return items.every((item) => item !== undefined && item.staleAt === undefined)
}
