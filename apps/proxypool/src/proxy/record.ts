import { ProxyAddressError, parseProxy } from './address.ts'

/** A proxy as it is stored. `username` and `password` are sealed in every tier but memory. */
export interface ProxyRecord {
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** Where it was found. */
  readonly source: string
  /** ISO 8601 with a zone: when it was found. */
  readonly fetchedAt: string
  /** How long it counts, from `fetchedAt`; 0 for ever. */
  readonly ttlSeconds: number
}

/** When it no longer counts, in milliseconds since 1970; `undefined`: never. */
export function endOf({ fetchedAt, ttlSeconds }: ProxyRecord): number | undefined {
  return ttlSeconds === 0 ? undefined : Date.parse(fetchedAt) + ttlSeconds * 1000
}

/** A proxy as it is given by whoever adds it. */
export interface ProxyInput {
  readonly url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Defaults to `manual`. */
  readonly source?: string | undefined
  /** ISO 8601 with a zone. Defaults to now. */
  readonly fetchedAt?: string | undefined
  /** Defaults to what is set for the source, else 0. */
  readonly ttlSeconds?: number | undefined
  /** What was known of its uses and health elsewhere, in the words of the older program: see `PAST_FIELDS`. */
  readonly past?: Readonly<Record<string, unknown>> | undefined
}

/** A time without a zone means something else on every machine. */
export const ZONED = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/
const TEXT_MAX = 1000

/** Checks and completes a proxy. Throws a {@link ProxyAddressError} that says what does not fit, never a password. */
export function proxyRecord(
  input: ProxyInput,
  now: number,
  ttlBySource: Readonly<Record<string, number>>,
): ProxyRecord {
  if (typeof input?.url !== 'string') throw new ProxyAddressError('Expected `url` to be text.')
  const address = parseProxy(input.url)
  const source = text('source', input.source) ?? 'manual'
  const ttlSeconds = input.ttlSeconds ?? (Object.hasOwn(ttlBySource, source) ? ttlBySource[source] : 0) ?? 0
  if (!Number.isFinite(ttlSeconds) || ttlSeconds < 0)
    throw new ProxyAddressError('Expected `ttlSeconds` to be a number from 0.')
  const fetchedAt = input.fetchedAt ?? new Date(now).toISOString()
  if (typeof fetchedAt !== 'string' || !ZONED.test(fetchedAt) || Number.isNaN(Date.parse(fetchedAt))) {
    throw new ProxyAddressError(
      'Expected `fetchedAt` to be an ISO 8601 time with its zone, such as 2026-01-01T00:00:00Z.',
    )
  }
  const username = text('username', input.username) ?? address.username
  const password = text('password', input.password) ?? address.password
  return {
    url: address.url,
    ...(username === undefined ? undefined : { username }),
    ...(password === undefined ? undefined : { password }),
    source,
    fetchedAt,
    ttlSeconds,
  }
}

function text(field: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string' || value.length > TEXT_MAX) {
    throw new ProxyAddressError(`Expected \`${field}\` to be text of up to ${TEXT_MAX} characters.`)
  }
  return value
}
