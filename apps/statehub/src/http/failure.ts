import { isTidemarkError } from 'tidemark'

/** What a client is told when something cannot be done. */
export interface Failure {
  readonly status: 400 | 404 | 409 | 500 | 503
  readonly code: string
  readonly message: string
  readonly hint?: string
}

/** A request that cannot be answered as it is. */
export class RequestError extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

/** SQLSTATEs of what a client asked for that the database does not take. */
const REFUSED: Readonly<Record<string, Omit<Failure, 'message'> & { readonly words: string }>> = {
  '23503': { status: 400, code: 'unknown-reference', words: 'It refers to something that is not there' },
  '23505': { status: 409, code: 'exists-already', words: 'There is one like it already' },
  '23514': { status: 400, code: 'bad-value', words: 'A value is not one of those it may be' },
}
/** Codes of connections that fail, and the classes of SQLSTATEs that say the server is going or not there. */
const UNREACHABLE = /^(ECONN|ETIMEDOUT|ENOTFOUND|EPIPE|08|57P|53)/

/** What to tell the client of an error. */
export function failureOf(error: unknown): Failure {
  if (error instanceof RequestError) return error.failure
  const { code = '', detail, message } = error as { code?: string; detail?: string; message?: string }
  const refused = REFUSED[code]
  if (refused) {
    const { words, ...failure } = refused
    return { ...failure, message: `${words}${detail === undefined ? '.' : `: ${detail}`}` }
  }
  const isLate = isTidemarkError(error) && error.code === 'load-timeout'
  if (isLate || UNREACHABLE.test(code) || /timeout exceeded when trying to connect/.test(message ?? '')) {
    const hint = 'Try again; once the database answers there is nothing else to do.'
    return { status: 503, code: 'database-unavailable', message: 'The database does not answer.', hint }
  }
  return { status: 500, code: 'internal', message: 'Something went wrong in the hub; its log says what.' }
}
