import type { ProxyPool } from '../pool/pool.ts'
import { jsonOf } from './json.ts'
import type { ImportReport } from './report.ts'

/** What became of a sealed export. Its counts are of everything that is stored: proxies, their uses and their health. */
export interface SealedReport extends ImportReport {
  /** False when the end of the export is missing: it was cut off. */
  readonly isComplete: boolean
}

/** An export that was sealed under keys the pool does not have. */
export class WrongKeysError extends Error {
  override readonly name = 'WrongKeysError'
}

/** The history of a proxy's checks is the longest there is in an export. */
const LINE_BYTES_MAX = 4 * 1024 * 1024
const MARK = Buffer.from('\uFEFF')

/**
 * Reads back what `GET /export` gave. Errors: {@link WrongKeysError}, before anything is stored; `import-refused` for what is no
 * export; `RangeError` for a line that is too long to be of one.
 */
export async function importSealed(pool: ProxyPool, chunks: AsyncIterable<Uint8Array>): Promise<SealedReport> {
  const { imported, skipped, failed, problems, isComplete } = await pool.tide.import(checked(chunks, pool.keyIds))
  const failures = problems
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ line, message }) => ({ line, reason: message }))
  return { loaded: imported, skipped, failed, failures, isComplete }
}

/** The bytes as they come, once the first line was found to be of our keys. No more than a line is held. */
async function* checked(chunks: AsyncIterable<Uint8Array>, keyIds: readonly string[]): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = Buffer.alloc(0)
  let lineBytes = 0
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(10)
    const firstEnd = chunk.indexOf(10)
    const longest = lineBytes + (firstEnd === -1 ? chunk.length : firstEnd)
    if (longest > LINE_BYTES_MAX)
      throw new RangeError(`A line is longer than ${LINE_BYTES_MAX} bytes: this is no sealed export.`)
    lineBytes = end === -1 ? lineBytes + chunk.length : chunk.length - end - 1
    if (head === undefined) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (firstEnd === -1) continue
    yield opened(head, keyIds)
    head = undefined
  }
  if (head && head.length > 0) yield opened(head, keyIds)
}

/** Refuses a head that names other keys; what is no head is left to who reads it. */
function opened(head: Uint8Array, keyIds: readonly string[]): Uint8Array {
  const bytes = MARK.equals(head.subarray(0, MARK.length)) ? head.subarray(MARK.length) : head
  const [line = ''] = Buffer.from(bytes.subarray(0, 4096)).toString('utf8').split('\n', 1)
  let named: unknown
  try {
    named = (jsonOf(line) as { keyIds?: unknown } | null)?.keyIds
  } catch {
    return bytes
  }
  if (Array.isArray(named) && named.length > 0 && !named.some((id) => keyIds.includes(id as string)))
    throw new WrongKeysError('The export is sealed under keys that this pool does not have; nothing was stored.')
  return bytes
}
