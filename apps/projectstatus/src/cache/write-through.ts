import { isSourceUnavailable, type Source } from 'tidemark'
import { WriteRefusedError } from './errors.ts'

/** As long as a read may take. */
const WRITE_MS_MAX = 2_000

/**
 * Makes a write in the database, in its turn. While the database is left alone it is refused at once; it is never queued,
 * so nobody learns later that it was not made after all. Errors: `WriteRefusedError`, and what the write throws.
 */
export async function writeThrough<T>(source: Source, work: () => Promise<T>): Promise<T> {
  const { state, nextProbeAt } = source.status
  if (state === 'open') throw new WriteRefusedError(source.error, false, nextProbeAt)
  let isUnderWay = false
  const begin = (): Promise<T> => {
    isUnderWay = true
    return work()
  }
  try {
    return await source.run(begin, AbortSignal.timeout(WRITE_MS_MAX), Number.POSITIVE_INFINITY)
  } catch (error) {
    if (!isSourceUnavailable(error)) throw error
    throw new WriteRefusedError(error, isUnderWay && !wasRefused(error), source.status.nextProbeAt)
  }
}

/** Nobody took the connection: nothing can have been written. */
function wasRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
}
