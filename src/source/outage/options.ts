import { invalidOption, refuseUnknown } from '../../errors.ts'
import { isSourceUnavailable } from './unavailable.ts'

/** Options of `tide.source`. */
export interface SourceOptions {
  /** Which failures of a load are the source's own, so that the cache may answer. Defaults to `isSourceUnavailable`. */
  readonly isUnavailable?: ((error: unknown) => boolean) | undefined
  /** So many such failures in a row open the breaker; one that is slow opens it at once. Defaults to 3. */
  readonly failureThreshold?: number | undefined
  /** So many loads at a time ask the source, from reads and warm-up together. Defaults to 10, a pool of `pg`. */
  readonly concurrency?: number | undefined
  /**
   * A cheap question to the source, to find out whether it is back. Defaults to loading the key that was read last.
   */
  readonly probe?: ((context: { readonly signal: AbortSignal }) => unknown) | undefined
  /** What is loaded anew when the source is back; `false`: nothing. */
  readonly warmUp?: WarmUpOptions | false | undefined
}

/** How a cache is warmed when its source is back. */
export interface WarmUpOptions {
  /** So many of the keys that were read last, newest first. Defaults to 1000. */
  readonly keys?: number | undefined
  /** So many loads a second, each a little earlier or later by chance. Defaults to 50. */
  readonly perSecond?: number | undefined
}

/** The options of a source, checked and completed. */
export interface SourceSettings {
  readonly isUnavailable: (error: unknown) => boolean
  readonly failureThreshold: number
  readonly concurrency: number
  readonly probe: SourceOptions['probe']
  /** 0: no warm-up. */
  readonly warmKeys: number
  readonly warmPerSecond: number
}

const OPTION_NAMES = ['isUnavailable', 'failureThreshold', 'concurrency', 'probe', 'warmUp'] as const
const DEFAULT_FAILURE_THRESHOLD = 3
const DEFAULT_CONCURRENCY = 10
const DEFAULT_WARM_KEYS = 1_000
const DEFAULT_WARM_PER_SECOND = 50

/** Errors: `invalid-option`, `unknown-option`. */
export function resolveSource(options: SourceOptions): SourceSettings {
  refuseUnknown('source()', options, OPTION_NAMES)
  const { isUnavailable = isSourceUnavailable, probe, warmUp = {} } = options
  if (typeof isUnavailable !== 'function') throw invalidOption('source.isUnavailable', 'a function', isUnavailable)
  if (probe !== undefined && typeof probe !== 'function') throw invalidOption('source.probe', 'a function', probe)
  const warm = warmUp === false ? { keys: 0 } : warmUp
  refuseUnknown('source.warmUp', warm, ['keys', 'perSecond'])
  return Object.freeze({
    isUnavailable,
    failureThreshold: wholeFrom1('failureThreshold', options.failureThreshold ?? DEFAULT_FAILURE_THRESHOLD),
    concurrency: wholeFrom1('concurrency', options.concurrency ?? DEFAULT_CONCURRENCY),
    probe,
    warmKeys: warmUp === false ? 0 : wholeFrom1('warmUp.keys', warm.keys ?? DEFAULT_WARM_KEYS),
    warmPerSecond: positive('warmUp.perSecond', warm.perSecond ?? DEFAULT_WARM_PER_SECOND),
  })
}

function wholeFrom1(option: string, value: unknown): number {
  if ((Number.isInteger(value) && (value as number) >= 1) || value === Number.POSITIVE_INFINITY) return value as number
  throw invalidOption(`source.${option}`, 'a whole number from 1, or Infinity', value)
}

function positive(option: string, value: unknown): number {
  if (typeof value === 'number' && value > 0) return value
  throw invalidOption(`source.${option}`, 'a number above 0', value)
}
