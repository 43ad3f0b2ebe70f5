import { durationMs, type Duration } from '../duration.ts'
import { Era } from '../era/era.ts'
import { invalidOption, refuseUnknown } from '../errors.ts'
import type { HealthOptions } from '../health/options.ts'
import { keyId, startsPlain, type KeyInput } from '../key.ts'
import type { Context } from '../load/context.ts'
import { resolveTimeout, type TimeoutOptions } from '../load/timeout.ts'
import { checkPolicy, resolveWindows, type Policy, type WindowOptions, type Windows } from '../policy/policy.ts'
import type { Place } from '../seal/places.ts'
import { Source } from '../source/outage/source.ts'
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
  readonly load: (key: K, context: LoadContext) => V | Promise<V>
  /**
   * What of a value is sealed wherever it leaves memory: paths such as `'password'` or `'accounts.*.token'`; `true`: all of
   * it. Needs a keyring. Defaults to nothing. See docs/sealing.md.
   */
  readonly secrets?: readonly string[] | true | undefined
  /** How this kind of data goes stale: `ttl`, `sliding`, `untilInvalidated`, `immutable` or `revisioned`. */
  readonly freshness: Policy<NoInfer<V>>
  /** How long a load may take. Defaults to 30 s, hard. `revisioned`: the revision too, soft 250 ms, hard 5 s at most. */
  readonly timeout?: TimeoutOptions | undefined
  /** Checks the stored values from time to time; see docs/health.md. */
  readonly health?: HealthOptions<NoInfer<V>> | undefined
  /**
   * `cache-first` (default): the source is asked when the cache has nothing fresh. `source-first`: every read asks the
   * source, and the cache answers when it cannot; see docs/source-first.md. Timeouts default to 250 ms and 2 s then, and
   * `staleIfError` to 7 days.
   */
  readonly strategy?: 'cache-first' | 'source-first' | undefined
  /** `source-first`: what it loads from, when others load from it too. Defaults to one of its own. */
  readonly source?: Source | undefined
  /** `source-first`: after this age a value from the cache comes with the warning `aging`. Defaults to half its freshness. */
  readonly warnAfter?: Duration | undefined
  /**
   * The version of a value: one with a lower version never takes the place of one with a higher. `null` for a value that has
   * none, such as the news that a row was deleted: it takes any place, and gives way to anything. With `of`, the id of a row
   * whose key may come to name another one, versions are compared within one row only. Defaults to none.
   */
  readonly version?: ((value: NoInfer<V>) => number | VersionOf | null) | undefined
}

/** A version that means something within one row only: that of another one under the same key takes its place. */
export interface VersionOf {
  /** Which row: its id. */
  readonly of: string
  readonly version: number
}

/** The options of a resource, checked and completed. */
export interface ResourceSettings<K, V> {
  readonly name: string
  readonly idOf: (key: K) => string
  readonly scopeOf: ((key: K) => string) | undefined
  readonly tagsOf: ((key: K, value: V) => readonly string[]) | undefined
  readonly era: Era | undefined
  readonly load: (key: K, context: LoadContext) => V | Promise<V>
  readonly secrets: readonly Place[] | undefined
  readonly policy: Policy<V>
  readonly windows: Windows
  readonly softMs: number
  readonly hardMs: number
  readonly health: HealthOptions<V> | undefined
  readonly isSourceFirst: boolean
  readonly source: Source | undefined
  readonly warnAfterMs: number | undefined
  readonly versionOf: ((value: V) => number | VersionOf | null) | undefined
}

const OPTION_NAMES = [
  'name',
  'key',
  'scope',
  'tags',
  'era',
  'load',
  'secrets',
  'freshness',
  'staleWhileRevalidate',
  'staleIfError',
  'keep',
  'timeout',
  'health',
  'strategy',
  'source',
  'warnAfter',
  'version',
] as const
/** `source-first`: a reader waits so long when there is something else to hand out, a load may take so long. */
const SOURCE_FIRST_TIMEOUT = { soft: '250ms', hard: '2s' } as const
const SOURCE_FIRST_STALE_IF_ERROR = '7d'
/** `revisioned`: so long the revision is waited for when there is something to hand out. */
const REVISIONED_TIMEOUT = { soft: '250ms' } as const

/** Errors: `invalid-option`, `unknown-option`, `invalid-duration`, `keyring-required`, `name-taken`. */
export function resolveResource<K, V>(options: ResourceOptions<K, V>, context: Context): ResourceSettings<K, V> {
  refuseUnknown('resource()', options, OPTION_NAMES)
  for (const option of ['key', 'scope', 'tags'] as const) {
    if (options[option] !== undefined) checkFunction(options[option], `resource.${option}`)
  }
  checkFunction(options.load, 'resource.load')
  checkPolicy(options.freshness, 'resource.freshness')
  if (options.era !== undefined && !(options.era instanceof Era))
    throw invalidOption('resource.era', 'an era from tide.era(name)', options.era)
  if (options.era && !options.scope) throw invalidOption('resource.scope', 'given together with `era`', options.scope)
  if (options.version !== undefined) checkFunction(options.version, 'resource.version')
  const first = resolveStrategy(options)
  return Object.freeze({
    idOf: idFunction(options.key),
    scopeOf: options.scope && checkedScope(options.scope, options.name),
    tagsOf: options.tags && checkedTags(options.tags, options.name),
    era: options.era,
    load: options.load,
    secrets: context.sealer.check(options.secrets, 'resource', options.name),
    policy: options.freshness,
    windows: resolveWindows(
      first.isSourceFirst ? { staleIfError: SOURCE_FIRST_STALE_IF_ERROR, ...given(options) } : options,
    ),
    health: options.health,
    ...first,
    versionOf: options.version,
    ...resolveTimeout(options.timeout, 'resource.timeout', timeoutOf(options)),
    // Last: options that were refused must not leave the name taken.
    name: context.takeName(options.name, 'resource'),
  })
}

/** Errors: `invalid-option`, `invalid-duration`. */
function resolveStrategy<K, V>(
  options: ResourceOptions<K, V>,
): Pick<ResourceSettings<K, V>, 'isSourceFirst' | 'source' | 'warnAfterMs'> {
  const { strategy = 'cache-first', source, warnAfter } = options
  if (strategy !== 'cache-first' && strategy !== 'source-first')
    throw invalidOption('resource.strategy', "'cache-first' or 'source-first'", strategy)
  const isSourceFirst = strategy === 'source-first'
  if (source !== undefined && (!isSourceFirst || !(source instanceof Source)))
    throw invalidOption('resource.source', "from tide.source(name), together with strategy: 'source-first'", source)
  if (isSourceFirst && options.freshness.kind === 'revisioned')
    throw invalidOption(
      'resource.freshness',
      'another policy than revisioned(): every read asks the source',
      'revisioned',
    )
  if (warnAfter !== undefined && !isSourceFirst)
    throw invalidOption('resource.warnAfter', "given together with strategy: 'source-first'", warnAfter)
  if (isSourceFirst && options.staleWhileRevalidate !== undefined)
    throw invalidOption(
      'resource.staleWhileRevalidate',
      'left out: every read asks the source',
      options.staleWhileRevalidate,
    )
  return {
    isSourceFirst,
    source,
    warnAfterMs: warnAfter === undefined ? undefined : durationMs(warnAfter, 'resource.warnAfter'),
  }
}

/** The timeouts of those who do not say theirs. */
function timeoutOf<K, V>({ strategy, freshness }: ResourceOptions<K, V>): TimeoutOptions {
  if (strategy === 'source-first') return SOURCE_FIRST_TIMEOUT
  return freshness.kind === 'revisioned' ? REVISIONED_TIMEOUT : {}
}

/** What was really said: `undefined` does not take a default's place. */
function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
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

/** A number would be stored under another scope than the text a caller clears by. */
function checkedScope<K>(scopeOf: (key: K) => string, name: string): (key: K) => string {
  return (key) => {
    const scope: unknown = scopeOf(key)
    if (typeof scope === 'string') return scope
    throw invalidOption(`${name}.scope`, 'a function that gives a string', scope)
  }
}

/** A text in the place of a list would become a tag for each of its letters. */
function checkedTags<K, V>(
  tagsOf: (key: K, value: V) => readonly string[],
  name: string,
): (key: K, value: V) => readonly string[] {
  return (key, value) => {
    const tags: unknown = tagsOf(key, value)
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags
    throw invalidOption(`${name}.tags`, 'a function that gives a list of strings', tags)
  }
}
