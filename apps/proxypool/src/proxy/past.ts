import type { HealthRecord, HealthState } from 'tidemark'
import { ProxyAddressError } from './address.ts'
import { concealed } from './conceal.ts'
import { ZONED } from './record.ts'

/** What was known of a proxy before it came here. */
export interface ProxyPast {
  readonly uses: { readonly count: number; readonly lastAt: number } | undefined
  readonly health: Partial<HealthRecord> | undefined
}

/** The words of the older program for what is counted here. */
const COUNTS = {
  failure_count: 'reports',
  consecutive_health_failures: 'failures',
  consecutive_health_successes: 'successes',
  recovery_attempt: 'recoveries',
  total_health_checks: 'checks',
  total_health_check_failures: 'checkFailures',
} as const
const TIMES = { last_health_check: 'lastCheckAt', next_check_time: 'nextCheckAt' } as const
/** Its states, in ours: a degraded one is healthy, and its last check was not good. */
const STATES: Readonly<Record<string, HealthState>> = {
  unknown: 'unknown',
  checking: 'checking',
  healthy: 'healthy',
  degraded: 'healthy',
  unhealthy: 'unhealthy',
  recovering: 'recovering',
  dead: 'dead',
}
const ERROR_MAX = 200

type Fields = Readonly<Record<string, unknown>>

/** The fields that {@link pastOf} reads. */
export const PAST_FIELDS: readonly string[] = [
  'access_count',
  'last_accessed',
  'health_status',
  'last_health_error',
  ...Object.keys(COUNTS),
  ...Object.keys(TIMES),
]

/** Reads what the older program wrote of a proxy's uses and health. Errors: `ProxyAddressError` that names the field. */
export function pastOf(fields: unknown): ProxyPast {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw new ProxyAddressError('Expected `past` to be an object.')
  const given = fields as Fields
  const count = countIn(given, 'access_count') ?? 0
  const lastAt = timeIn(given, 'last_accessed') ?? 0
  return { uses: count > 0 ? { count, lastAt } : undefined, health: healthOf(given) }
}

function healthOf(given: Fields): Partial<HealthRecord> | undefined {
  const known: Partial<Record<keyof HealthRecord, unknown>> = {}
  for (const [name, field] of Object.entries(COUNTS)) known[field] = countIn(given, name)
  for (const [name, field] of Object.entries(TIMES)) known[field] = timeIn(given, name)
  const status = textIn(given, 'health_status') ?? 'unknown'
  if (!Object.hasOwn(STATES, status)) throw wrong('health_status', `one of ${Object.keys(STATES).join(', ')}`)
  known.state = STATES[status]
  if (status === 'degraded') known.failures ||= 1
  const error = textIn(given, 'last_health_error')
  if (error !== undefined) known.lastError = concealed(error).slice(0, ERROR_MAX)
  const told = Object.entries(known).filter(([, value]) => value !== undefined && value !== 0 && value !== 'unknown')
  return told.length === 0 ? undefined : Object.fromEntries(told)
}

function countIn(given: Fields, name: string): number | undefined {
  const count = given[name] ?? undefined
  if (count !== undefined && !(Number.isSafeInteger(count) && (count as number) >= 0))
    throw wrong(name, 'a whole number from 0')
  return count as number | undefined
}

function timeIn(given: Fields, name: string): number | undefined {
  const time = textIn(given, name)
  if (time === undefined) return undefined
  if (!ZONED.test(time) || Number.isNaN(Date.parse(time))) throw wrong(name, 'a time with its zone')
  return Math.max(0, Date.parse(time))
}

function textIn(given: Fields, name: string): string | undefined {
  const text = given[name] ?? undefined
  if (text !== undefined && typeof text !== 'string') throw wrong(name, 'text')
  return text === '' ? undefined : text
}

/** Without what came: in the wrong place it may be a secret. */
function wrong(name: string, expected: string): ProxyAddressError {
  return new ProxyAddressError(`Expected \`${name}\` to be ${expected}.`)
}
