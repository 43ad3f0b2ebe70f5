import { HTTPException } from 'hono/http-exception'
import { isTidemarkError } from 'tidemark'
import { EncoderClosedError } from '../encoding/encoder.ts'
import { UnitError, type UnitErrorCode } from '../unit/client.ts'

/** What a client is told when something cannot be done. */
export interface Failure {
  readonly status: 400 | 403 | 404 | 409 | 415 | 500 | 502 | 503
  readonly code: string
  readonly message: string
  /** What to do about it. */
  readonly hint?: string | undefined
  /** The parameter that does not fit. */
  readonly parameter?: string | undefined
}

/** A request that cannot be answered as it is. */
export class RequestError extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

/** A parameter that is missing or does not fit. */
export function badParameter(parameter: string, expected: string, got: string | undefined): RequestError {
  const came = got === undefined ? 'nothing' : `'${got.slice(0, 60)}'`
  const message = `Expected \`${parameter}\` to be ${expected}, got ${came}.`
  return new RequestError({ status: 400, code: 'bad-parameter', message, parameter })
}

const UNIT_FAILURES: Record<UnitErrorCode, Pick<Failure, 'status' | 'hint'>> = {
  'unit-refused': { status: 503, hint: 'Nobody listens there: check the address, the modem and the unit.' },
  'unit-unreachable': { status: 502, hint: 'Check the modem and the line; the next request tries again.' },
  'unit-protocol': {
    status: 502,
    hint: 'What answers there may be no seismograph, or a newer one than this gateway knows.',
  },
  'unit-no-such-event': { status: 404, hint: 'List the events of the unit for the indexes it has.' },
  'unit-rejected': { status: 409, hint: undefined },
}

/** What to tell the client of an error, wherever it comes from. */
export function failureOf(error: unknown): Failure {
  if (error instanceof RequestError) return error.failure
  if (error instanceof UnitError) return { ...UNIT_FAILURES[error.code], code: error.code, message: error.message }
  if (isTidemarkError(error, 'out-of-range')) {
    return {
      status: 404,
      code: 'unit-no-such-event',
      message: error.message,
      hint: UNIT_FAILURES['unit-no-such-event'].hint,
    }
  }
  if (isTidemarkError(error, 'load-timeout')) {
    return {
      status: 502,
      code: 'unit-unreachable',
      message: error.message,
      hint: UNIT_FAILURES['unit-unreachable'].hint,
    }
  }
  if (isTidemarkError(error, 'closed') || error instanceof EncoderClosedError)
    return { status: 503, code: 'closing', message: 'The gateway is being stopped.' }
  if (error instanceof HTTPException && error.status === 400)
    return { status: 400, code: 'bad-request', message: error.message }
  return { status: 500, code: 'internal', message: 'Something went wrong in the gateway; its log says what.' }
}
