import { createHash } from 'node:crypto'
import { durationMs, type Duration } from '../duration.ts'
import { invalidOption, refuseUnknown } from '../errors.ts'
import { cacheStatus } from './cache-status.ts'
import { isNotModified, wantsRefresh } from './conditions.ts'
import { ageSeconds, isViewReading, SECONDS_MAX, type AnyReading, type AnyRequest } from './reading.ts'
import { textOf } from '../view/text.ts'

/** Options of {@link respond} and {@link cacheHeaders}. */
export interface RespondOptions {
  /** What the cache is called in `Cache-Status`. Defaults to `tidemark`. */
  readonly cache?: string | undefined
  /** `Cache-Control: max-age`: so long the client need not ask again. Without it, and the two below, there is no such header. */
  readonly maxAge?: Duration | undefined
  /** `Cache-Control: stale-while-revalidate`. */
  readonly staleWhileRevalidate?: Duration | undefined
  /** `Cache-Control: stale-if-error`. */
  readonly staleIfError?: Duration | undefined
  /** Who besides the client may keep the answer: adds `public` or `private` to `Cache-Control`. */
  readonly visibility?: 'public' | 'private' | undefined
  /** Further headers; they win over those made here. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** What is sent in place of the value as JSON. */
  readonly body?: string | Uint8Array<ArrayBuffer> | undefined
}

/** The body that was last made of a shared value, and its tag. */
interface Tagged {
  readonly body: string
  readonly etag: string
}

const OPTION_NAMES = [
  'cache',
  'maxAge',
  'staleWhileRevalidate',
  'staleIfError',
  'visibility',
  'headers',
  'body',
] as const

const tagged = new WeakMap<object, Tagged>()

/**
 * The answer to a request: the value as JSON, with `Cache-Status`, `Age`, `ETag` and, if asked for, `Cache-Control`; 304
 * without a body when the client has it already. The body of a value that is shared is made once, and so is its tag.
 *
 * @throws `invalid-option`, `unknown-option`, `invalid-duration`
 * @example
 * app.get('/summary', async ({ req }) => respond(req.raw, await summary.read({ refresh: wantsRefresh(req.raw) }), { maxAge: '15s' }))
 */
export function respond(request: AnyRequest, reading: AnyReading, options: RespondOptions = {}): Response {
  const body = options.body ?? textOf(reading.value)
  const headers = new Headers(merged({ 'Content-Type': 'application/json' }, headersOf(request, reading, options)))
  if (!headers.has('ETag')) headers.set('ETag', tagOf(reading.value, body))
  if (isNotModified(request, headers.get('ETag') as string)) {
    headers.delete('Content-Type')
    return new Response(null, { status: 304, headers })
  }
  return new Response(request.method === 'HEAD' ? null : body, { headers })
}

/**
 * The headers alone, for answers that are put together elsewhere: `Cache-Status`, `Age`, for a view `ETag`, and
 * `Cache-Control` if asked for.
 *
 * @throws `invalid-option`, `unknown-option`, `invalid-duration`
 */
export function cacheHeaders(
  request: AnyRequest,
  reading: AnyReading,
  options: RespondOptions = {},
): Record<string, string> {
  return headersOf(request, reading, options)
}

function headersOf(request: AnyRequest, reading: AnyReading, options: RespondOptions): Record<string, string> {
  refuseUnknown('respond()', options, OPTION_NAMES)
  const control = cacheControl(options)
  const made = {
    'Cache-Status': cacheStatus(reading, { cache: options.cache, isForced: wantsRefresh(request) }),
    Age: String(ageSeconds(reading)),
    // A body of the caller's own may change while the view does not: another template, another language.
    ...(isViewReading(reading) && options.body === undefined ? { ETag: reading.etag } : undefined),
    ...(control === '' ? undefined : { 'Cache-Control': control }),
  }
  return merged(made, options.headers)
}

/** Names of headers are the same in upper and lower case; the later ones win. */
function merged(
  first: Readonly<Record<string, string>>,
  later: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const all = [...Object.entries(first), ...Object.entries(later)]
  const byName = new Map(all.map((header) => [header[0].toLowerCase(), header]))
  return Object.fromEntries(byName.values())
}

function cacheControl({ maxAge, staleWhileRevalidate, staleIfError, visibility }: RespondOptions): string {
  if (visibility !== undefined && visibility !== 'public' && visibility !== 'private')
    throw invalidOption('respond.visibility', "'public' or 'private'", visibility)
  const seconds = (name: string, option: string, duration: Duration | undefined): string[] =>
    duration === undefined ? [] : [`${name}=${Math.min(Math.floor(durationMs(duration, option) / 1000), SECONDS_MAX)}`]
  return [
    ...(visibility === undefined ? [] : [visibility]),
    ...seconds('max-age', 'respond.maxAge', maxAge),
    ...seconds('stale-while-revalidate', 'respond.staleWhileRevalidate', staleWhileRevalidate),
    ...seconds('stale-if-error', 'respond.staleIfError', staleIfError),
  ].join(', ')
}

function tagOf(value: unknown, body: string | Uint8Array): string {
  const isKept = typeof value === 'object' && value !== null && typeof body === 'string'
  const known = isKept ? tagged.get(value) : undefined
  if (known?.body === body) return known.etag
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  if (isKept) tagged.set(value, { body, etag })
  return etag
}
