import { FOREVER } from '../entry.ts'
import type { Policy } from './policy.ts'

/**
 * Data that is right until someone who changed it says so: `invalidate`, `delete`, a tag, a scope or an era.
 *
 * @example
 * tide.resource({ name: 'device-info', load: readInfo, freshness: untilInvalidated() })
 */
export function untilInvalidated(): Policy {
  return { kind: 'until-invalidated', freshMs: () => FOREVER }
}
