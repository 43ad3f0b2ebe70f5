import type { Era } from '../era/era.ts'
import { invalidOption, refuseUnknown } from '../errors.ts'
import { keyId, startsPlain, type KeyInput } from '../key.ts'
import type { Context } from '../load/context.ts'
import { resolveTimeout, type TimeoutOptions } from '../load/timeout.ts'
import { checkPolicy, resolveWindows, type Policy, type WindowOptions, type Windows } from '../policy/policy.ts'
import type { LoadContext } from './reading.ts'

/** Options of `tide.resource`. */
export interface ResourceOptions<K, V> extends WindowOptions {
  /** Names the resource in stats, events and the stored entries; one of its own for each construct. */
  readonly name: string
  /** The key a caller's argument stands for. Defaults to the argument itself. */
  readonly key?: ((key: K) => KeyInput) | undefined
  /** The group that is cleared together, such as a device or a tenant. */
  readonly scope?: ((key: K) => string) | undefined
  /** Further groups; may depend on the value. */
  readonly tags?: ((key: K, value: V) => readonly string[]) | undefined
  /** The era the entries live in; needs `scope`. */
  readonly era?: Era | undefined
  /** Asks the source. What it throws reaches the caller; `undefined` is refused, `null` is a value. */
  readonly load: (key: K, context: LoadContext<V>) => V | Promise<V>
  /** How this kind of data goes stale: `ttl`, `sliding`, `untilInvalidated` or `immutable`. */
  readonly freshness: Policy<NoInfer<V>>
  readonly timeout?: TimeoutOptions | undefined
}

/** The options of a resource, checked and completed. */
export interface ResourceSettings<K, V> {
  readonly name: string
  readonly idOf: (key: K) => string
  readonly scopeOf: ((key: K) => string) | undefined
  readonly tagsOf: ((key: K, value: V) => readonly string[]) | undefined
  readonly era: Era | undefined
  readonly load: (key: K, context: LoadContext<V>) => V | Promise<V>
  readonly policy: Policy<V>
  readonly windows: Windows
  readonly softMs: number
  readonly hardMs: number
}

const OPTION_NAMES = [
  'name',
  'key',
  'scope',
  'tags',
  'era',
  'load',
  'freshness',
  'staleWhileRevalidate',
  'staleIfError',
  'keep',
  'timeout',
] as const

/** Errors: `invalid-option`, `unknown-option`, `invalid-duration`, `name-taken`. */
export function resolveResource<K, V>(options: ResourceOptions<K, V>, context: Context): ResourceSettings<K, V> {
  refuseUnknown('resource()', options, OPTION_NAMES)
  for (const option of ['key', 'scope', 'tags'] as const) {
    if (options[option] !== undefined) checkFunction(options[option], `resource.${option}`)
  }
  checkFunction(options.load, 'resource.load')
  checkPolicy(options.freshness, 'resource.freshness')
  if (options.era && !options.scope) throw invalidOption('resource.scope', 'given together with `era`', options.scope)
  return Object.freeze({
    idOf: idFunction(options.key),
    scopeOf: options.scope,
    tagsOf: options.tags,
    era: options.era,
    load: options.load,
    policy: options.freshness,
    windows: resolveWindows(options),
    ...resolveTimeout(options.timeout, 'resource.timeout'),
    // Last: options that were refused must not leave the name taken.
    name: context.takeName(options.name, 'resource'),
  })
}

/** Refuses what is no function. */
function checkFunction(value: unknown, option: string): void {
  if (typeof value !== 'function') throw invalidOption(option, 'a function', value)
}

/**
 * The id under which the hot path looks: a plain string is its own. One that is not well-formed is never stored under
 * itself, so looking for it misses, and the slow path writes it properly.
 */
function idFunction<K>(key: ((key: K) => KeyInput) | undefined): (key: K) => string {
  const inputOf = key ?? ((it: K) => it as KeyInput)
  return (it) => {
    const input = inputOf(it)
    return typeof input === 'string' && startsPlain(input) ? input : keyId(input)
  }
}
