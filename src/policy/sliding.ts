import type { Duration } from '../duration.ts'
import { refuseUnknown } from '../errors.ts'
import { policyMs, type Policy } from './policy.ts'

/**
 * Data that stays fresh while it is used: every read moves its end to `idle` from then.
 *
 * @param idle how long a value stays fresh without being read
 * @param options `max` (default `Infinity`): never longer than this after the load, however often it is read
 * @example
 * sliding('30m', { max: '12h' })
 */
export function sliding(idle: Duration, options: { readonly max?: Duration | undefined } = {}): Policy {
  refuseUnknown('sliding', options, ['max'])
  const idleMs = policyMs(idle, 'sliding')
  const maxMs = policyMs(options.max ?? Number.POSITIVE_INFINITY, 'sliding.max')
  return { kind: 'sliding', freshMs: () => Math.min(idleMs, maxMs), slide: { idleMs, maxMs } }
}
