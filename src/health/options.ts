import { durationMs, type Duration } from '../duration.ts'
import { invalidOption, refuseUnknown } from '../errors.ts'
import type { HealthRules } from './state.ts'

/** What a check says of a value. */
export interface CheckResult {
  readonly ok: boolean
  /** Defaults to how long the check took. */
  readonly responseMs?: number | undefined
  readonly error?: string | undefined
}

/** What a check gets besides the value. */
export interface CheckContext {
  readonly key: unknown
  /** Aborted at the timeout and when the cache is closed. */
  readonly signal: AbortSignal
}

/** The option `health` of a resource: its stored values are checked from time to time. */
export interface HealthOptions<V> {
  /** Tries a value. Throwing is failing. */
  readonly check: (value: V, context: CheckContext) => CheckResult | Promise<CheckResult>
  /** From the end of one check to the next, at most: `backoff.jitter` makes it sooner. Defaults to `'5m'`. */
  readonly every?: Duration | undefined
  /** A check that takes longer has failed. Defaults to `'10s'`. */
  readonly timeout?: Duration | undefined
  /** So many failures in a row make a value unhealthy. Defaults to 3. */
  readonly unhealthyAfter?: number | undefined
  /** So many successes in a row make an unhealthy value healthy again. Defaults to 2. */
  readonly healthyAfter?: number | undefined
  /** How long an unhealthy value is left alone: `base` · 2ⁿ, at most `max`, moved by `jitter`. Defaults to 60 s, 1 h, 0.1. */
  readonly backoff?:
    | {
        readonly base?: Duration | undefined
        readonly max?: Duration | undefined
        readonly jitter?: number | undefined
      }
    | undefined
  /** After so many failed recoveries a value is dead. Defaults to 5. */
  readonly maxRecoveries?: number | undefined
  /** At most so many checks at once. Defaults to 100. */
  readonly concurrency?: number | undefined
  /** How long the results of checks are kept. Defaults to `'24h'`. */
  readonly history?: Duration | undefined
  /** Deletes dead values from every tier. Defaults to `false`. */
  readonly evictWhenDead?: boolean | undefined
  /** So many failed uses reported in a row delete a value at once. Defaults to `unhealthyAfter`. */
  readonly evictAfterReports?: number | undefined
}

/** The options, checked and completed. */
export interface HealthSettings<V> {
  readonly check: HealthOptions<V>['check']
  readonly rules: HealthRules
  readonly timeoutMs: number
  readonly concurrency: number
  readonly historyMs: number
  readonly evictWhenDead: boolean
  readonly evictAfterReports: number
}

/** Errors: `invalid-option`, `unknown-option`, `invalid-duration`. */
export function resolveHealth<V>(options: HealthOptions<V>): HealthSettings<V> {
  refuseUnknown('health', options, [
    'check',
    'every',
    'timeout',
    'unhealthyAfter',
    'healthyAfter',
    'backoff',
    'maxRecoveries',
    'concurrency',
    'history',
    'evictWhenDead',
    'evictAfterReports',
  ])
  const { backoff = {}, evictWhenDead = false } = options
  refuseUnknown('health.backoff', backoff, ['base', 'max', 'jitter'])
  if (typeof options.check !== 'function') throw invalidOption('health.check', 'a function', options.check)
  if (typeof evictWhenDead !== 'boolean') throw invalidOption('health.evictWhenDead', 'true or false', evictWhenDead)
  const jitter = backoff.jitter ?? 0.1
  if (!(jitter >= 0 && jitter < 1)) throw invalidOption('health.backoff.jitter', 'a number from 0, below 1', jitter)
  const unhealthyAfter = count('unhealthyAfter', options.unhealthyAfter ?? 3)
  return Object.freeze({
    check: options.check,
    rules: {
      everyMs: durationMs(options.every ?? '5m', 'health.every'),
      unhealthyAfter,
      healthyAfter: count('healthyAfter', options.healthyAfter ?? 2),
      backoff: {
        baseMs: durationMs(backoff.base ?? '60s', 'health.backoff.base'),
        maxMs: durationMs(backoff.max ?? '1h', 'health.backoff.max'),
        jitter,
      },
      maxRecoveries: count('maxRecoveries', options.maxRecoveries ?? 5),
    },
    timeoutMs: durationMs(options.timeout ?? '10s', 'health.timeout'),
    concurrency: count('concurrency', options.concurrency ?? 100),
    historyMs: durationMs(options.history ?? '24h', 'health.history'),
    evictWhenDead,
    evictAfterReports: count('evictAfterReports', options.evictAfterReports ?? unhealthyAfter),
  })
}

function count(option: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw invalidOption(`health.${option}`, 'a whole number from 1', value)
  return value
}
