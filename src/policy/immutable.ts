import { FOREVER, type Identity } from '../entry.ts'
import { invalidOption, refuseUnknown } from '../errors.ts'
import type { Policy } from './policy.ts'

/**
 * Data that never changes once recorded. A value with another identity at the same key means that the key was reused:
 * with an `era` on the resource, the whole era of that scope is dropped before the new value is stored.
 *
 * @param options `identity` takes from a value the stamp that says which physical thing it is; unknown parts are `undefined`
 * @example
 * immutable({ identity: (w: { waveformKey: string; timestamp: string }) => [w.waveformKey, w.timestamp] })
 */
export function immutable<V = unknown>(
  options: { readonly identity?: ((value: V) => Identity) | undefined } = {},
): Policy<V> {
  refuseUnknown('immutable', options, ['identity'])
  const { identity } = options
  if (identity === undefined) return { kind: 'immutable', freshMs: () => FOREVER }
  if (typeof identity !== 'function') throw invalidOption('immutable.identity', 'a function of the value', identity)
  return { kind: 'immutable', freshMs: () => FOREVER, identity }
}
