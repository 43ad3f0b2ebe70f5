import { isTidemarkError } from 'tidemark'
import { EventFileError } from '../event-file/error.ts'
import { RequestError, type Failure } from './failure.ts'

const STATUS: Readonly<Record<string, Failure['status']>> = {
  'artifact-name': 400,
  'artifact-conflict': 409,
  'artifact-quota': 409,
  'artifact-busy': 503,
  'artifact-changed': 503,
  'artifact-unavailable': 503,
}

/** Runs what answers a request about files; what fails there is told in its own words. */
export async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof EventFileError)
      throw new RequestError({ status: 409, code: error.code, message: error.message })
    if (isTidemarkError(error) && (error.code.startsWith('artifact-') || error.code === 'invalid-option')) {
      const status = error.code === 'invalid-option' ? 400 : (STATUS[error.code] ?? 500)
      throw new RequestError({ status, code: error.code, message: error.message, hint: error.hint })
    }
    throw error
  }
}
