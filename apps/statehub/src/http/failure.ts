import { isSourceUnavailable } from 'tidemark'

/** What a client is told when something cannot be done. */
export interface Failure {
  readonly status: 400 | 404 | 409 | 413 | 500 | 503
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
  '23502': { status: 400, code: 'bad-value', words: 'A field that must be given is null' },
  '54000': { status: 400, code: 'bad-value', words: 'A value is too long' },
}
/** SQLSTATEs of values: too long, out of range, no such day, characters that cannot be kept, texts that are no number or id. */
const BAD_VALUES: ReadonlySet<string> = new Set(['22001', '22003', '22007', '22008', '22021', '22P02', '22P05'])
const BAD_VALUE = { status: 400, code: 'bad-value', words: 'A value is none that can be kept' } as const

/** What to tell the client of an error. */
export function failureOf(error: unknown): Failure {
  if (error instanceof RequestError) return error.failure
  const { code = '', detail, column } = error as { code?: string; detail?: string; column?: string }
  const refused = REFUSED[code] ?? (BAD_VALUES.has(code) ? BAD_VALUE : undefined)
  if (refused) {
    const { words, ...failure } = refused
    // Where a column is named, the detail is the whole row.
    const what = column === undefined ? detail : `\`${column}\`.`
    return { ...failure, message: `${words}${what === undefined ? '.' : `: ${what}`}` }
  }
  if (isSourceUnavailable(error)) {
    const hint = 'Try again; once the database answers there is nothing else to do.'
    return { status: 503, code: 'database-unavailable', message: 'The database does not answer.', hint }
  }
  return { status: 500, code: 'internal', message: 'Something went wrong in the hub; its log says what.' }
}
