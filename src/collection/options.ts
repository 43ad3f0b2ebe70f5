import { invalidOption, refuseUnknown } from '../errors.ts'
import type { Identity } from '../entry.ts'
import { Era } from '../era/era.ts'
import { keyId, type KeyInput } from '../key.ts'
import type { Context } from '../load/context.ts'
import { checkPolicy, resolveWindows, type Policy, type WindowOptions, type Windows } from '../policy/policy.ts'
import { resolveTimeout, type TimeoutOptions } from '../load/timeout.ts'
import { ttl } from '../policy/ttl.ts'
import type { Place } from '../seal/places.ts'

/** What a cheap look at the source tells. */
export interface Probe {
  /** How many items there are. */
  readonly count: number
  /** Identity of the first and the last item, where the source can tell: closes the hole of "erased and filled to the same count". */
  readonly first?: Identity | undefined
  readonly last?: Identity | undefined
}

/** Which items to load, `from` included, `to` not, and what else a loader gets. */
export interface RangeContext {
  readonly from: number
  readonly to: number
  readonly signal: AbortSignal
  /** Tells listeners how far a long load has come (event `progress`). */
  readonly progress: (done: number, total: number) => void
}

/** Options of `tide.collection`. */
export interface CollectionOptions<K, T> extends WindowOptions {
  /** Names the collection in stats, events and the stored entries. */
  readonly name: string
  /** The key a caller's argument stands for. Defaults to the argument itself. */
  readonly key?: ((key: K) => KeyInput) | undefined
  /** The group that is cleared together. Defaults to the key. */
  readonly scope?: ((key: K) => string) | undefined
  /** The era the items live in, with other resources. Defaults to one of its own. */
  readonly era?: Era | undefined
  /** Asks the source how many items there are. Cheap. */
  readonly probe: (key: K, context: { readonly signal: AbortSignal }) => Probe | Promise<Probe>
  /** Loads the items `from` … `to - 1`, in order. */
  readonly load: (key: K, range: RangeContext) => readonly T[] | Promise<readonly T[]>
  /** The stamp that says which physical thing an item is. */
  readonly identity?: ((item: T) => Identity) | undefined
  /** What of an item is sealed wherever it leaves memory, as for a resource. */
  readonly secrets?: readonly string[] | true | undefined
  /** How long a probe's answer holds. Defaults to `ttl(0)`: every list asks the source for its count. */
  readonly freshness?: Policy<never> | undefined
  /** How long one probe, or one load of items, may take. Defaults to 30 s, hard. */
  readonly timeout?: TimeoutOptions | undefined
}

/** The options of a collection, checked and completed. */
export interface CollectionSettings<K, T> {
  readonly name: string
  readonly idOf: (key: K) => string
  readonly scopeOf: (key: K) => string
  readonly era: Era
  readonly probe: CollectionOptions<K, T>['probe']
  readonly load: CollectionOptions<K, T>['load']
  readonly identity: ((item: T) => Identity) | undefined
  readonly secrets: readonly Place[] | undefined
  readonly policy: Policy
  readonly windows: Windows
  readonly softMs: number
  readonly hardMs: number
}

const OPTION_NAMES = [
  'name',
  'key',
  'scope',
  'era',
  'probe',
  'load',
  'identity',
  'secrets',
  'freshness',
  'staleWhileRevalidate',
  'staleIfError',
  'keep',
  'timeout',
] as const

/** Errors: `invalid-option`, `unknown-option`, `invalid-duration`, `keyring-required`, `name-taken`. */
export function resolveCollection<K, T>(options: CollectionOptions<K, T>, context: Context): CollectionSettings<K, T> {
  refuseUnknown('collection()', options, OPTION_NAMES)
  for (const option of ['key', 'scope', 'identity'] as const) {
    const value: unknown = options[option]
    if (value !== undefined && typeof value !== 'function')
      throw invalidOption(`collection.${option}`, 'a function', value)
  }
  for (const option of ['probe', 'load'] as const) {
    if (typeof options[option] !== 'function')
      throw invalidOption(`collection.${option}`, 'a function', options[option])
  }
  if (options.era !== undefined && !(options.era instanceof Era))
    throw invalidOption('collection.era', 'an era from tide.era(name)', options.era)
  if (options.freshness !== undefined) {
    checkPolicy(options.freshness, 'collection.freshness')
    const { kind } = options.freshness
    if (kind === 'sliding' || kind === 'immutable') {
      throw invalidOption('collection.freshness', 'ttl() or untilInvalidated(): how long a count holds', kind)
    }
  }
  const idOf = (key: K): string => keyId(options.key ? options.key(key) : (key as KeyInput))
  const windows = resolveWindows(options)
  const timeout = resolveTimeout(options.timeout, 'collection.timeout')
  const secrets = context.sealer.check(options.secrets, 'collection', options.name)
  // Last: options that were refused must not leave the name taken.
  const name = context.takeName(options.name, 'collection')
  return Object.freeze({
    name,
    idOf,
    scopeOf: options.scope ?? idOf,
    era: options.era ?? new Era(`${name}#era`, context.stack, context.hub, () => context.refuseIfClosed()),
    probe: options.probe,
    load: options.load,
    identity: options.identity,
    secrets,
    policy: options.freshness ?? ttl(0),
    windows,
    ...timeout,
  })
}
