import { isTidemarkError } from 'tidemark'
import { WrongKeysError } from '../import/sealed.ts'
import { ProxyAddressError } from '../proxy/address.ts'
import { KeyCollisionError } from '../pool/pool.ts'

/** What a client is told when something cannot be done. */
export interface Failure {
  readonly status: 400 | 403 | 404 | 409 | 500
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

/** What to tell the client of an error. */
export function failureOf(error: unknown): Failure {
  if (error instanceof RequestError) return error.failure
  if (error instanceof ProxyAddressError) return { status: 400, code: 'bad-proxy', message: error.message }
  if (error instanceof KeyCollisionError) return { status: 409, code: 'key-collision', message: error.message }
  if (error instanceof WrongKeysError) {
    const hint = 'Give the pool the key it was sealed under as well: TIDEMARK_KEYS=main=<its own>,older=<that one>.'
    return { status: 409, code: 'wrong-keys', message: error.message, hint }
  }
  if (isTidemarkError(error, 'import-refused')) return { status: 400, code: error.code, message: error.message }
  if (error instanceof SyntaxError || error instanceof RangeError)
    return { status: 400, code: 'bad-request', message: error.message }
  return { status: 500, code: 'internal', message: 'Something went wrong in the pool; its log says what.' }
}
