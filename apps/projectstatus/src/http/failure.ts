import { isTidemarkError } from 'tidemark'
import { NotFoundError, NotOpenError, WriteRefusedError } from '../cache/errors.ts'

/** What a client is told when something cannot be done. */
export interface Failure {
  readonly status: 400 | 404 | 409 | 413 | 500 | 503
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
  /** When it is worth trying again, milliseconds since 1970. */
  readonly retryAt?: number | undefined
}

/** A request that cannot be answered as it is. */
export class RequestError extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

/** A parameter or field that is missing or does not fit. */
export function bad(parameter: string, expected: string): RequestError {
  const message = `Expected \`${parameter}\` to be ${expected}.`
  return new RequestError({ status: 400, code: 'bad-parameter', message })
}

/**
 * SQLSTATEs of what a client asked for that the database does not take: values too long, out of range, no such day, characters
 * that cannot be kept, texts that are no number or id; null, a constraint, a limit of the server.
 */
const BAD_VALUES: ReadonlySet<unknown> = new Set([
  ...['22001', '22003', '22007', '22008', '22021', '22P02', '22P05'],
  ...['23502', '23514', '54000', '54001'],
])

/** What to tell the client of an error. `nextProbeAt`: when the database is tried again, where that is known. */
export function failureOf(error: unknown, nextProbeAt: () => number | undefined): Failure {
  if (error instanceof RequestError) return error.failure
  if (error instanceof NotFoundError) return { status: 404, code: 'not-found', message: error.message }
  if (error instanceof RangeError) return { status: 400, code: 'bad-parameter', message: error.message }
  if (error instanceof WriteRefusedError) {
    const { message, isUncertain } = error
    const code = isUncertain ? 'write-uncertain' : 'database-unavailable'
    return { status: 503, code, message, retryAt: error.retryAt }
  }
  if (isTidemarkError(error, 'source-unavailable') || isTidemarkError(error, 'load-timeout')) {
    const hint = 'What was read while the database was there is answered from the cache; this was not.'
    return { status: 503, code: 'database-unavailable', message: error.message, hint, retryAt: nextProbeAt() }
  }
  if (error instanceof Error && 'code' in error && BAD_VALUES.has(error.code))
    return { status: 400, code: 'bad-value', message: `PostgreSQL does not take it: ${error.message}.` }
  if (isTidemarkError(error, 'closed') || error instanceof NotOpenError)
    return { status: 503, code: 'closing', message: 'The service is being stopped.' }
  return { status: 500, code: 'internal', message: 'Something went wrong in the service; its log says what.' }
}
