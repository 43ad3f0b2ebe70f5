import type { Duration } from '../duration.ts'
import { invalidOption, refuseUnknown } from '../errors.ts'
import { policyMs, type Policy } from './policy.ts'

/**
 * Data that goes stale with time.
 *
 * @param duration how long a value is fresh: a duration for all, or a function of the value
 * @param options `jitter` (0 to 1, default 0) shortens each lifetime by a random part of up to this fraction, so that
 * entries loaded together do not expire together; it never lengthens one
 * @example
 * ttl('30s', { jitter: 0.1 })
 * ttl((token: { expiresInS: number }) => token.expiresInS * 1000)
 */
export function ttl<V = unknown>(
  duration: Duration | ((value: V) => Duration),
  options: { readonly jitter?: number | undefined } = {},
): Policy<V> {
  refuseUnknown('ttl', options, ['jitter'])
  const jitter = options.jitter ?? 0
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
    throw invalidOption('ttl.jitter', 'a number from 0 to 1', jitter)
  const shortened = (ms: number): number => (jitter === 0 ? ms : Math.floor(ms * (1 - jitter * Math.random())))
  if (typeof duration === 'function') {
    return { kind: 'ttl', freshMs: (value) => shortened(policyMs(duration(value), 'ttl(value)')) }
  }
  const fixedMs = policyMs(duration, 'ttl')
  return { kind: 'ttl', freshMs: () => shortened(fixedMs) }
}
