// What SQLite and the file system report, in our codes.

import { TidemarkError, isTidemarkError, type ErrorCode } from '../../errors.ts'

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const BY_RESULT: Readonly<Record<number, ErrorCode>> = {
  5: 'tier-busy',
  6: 'tier-busy',
  8: 'tier-read-only',
  10: 'tier-full', // IOERR: mostly a disk that is full or gone; reads go on where they can
  11: 'tier-corrupt',
  13: 'tier-full',
  14: 'tier-unavailable',
  26: 'tier-corrupt',
}

const BY_ERRNO: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'tier-read-only',
  EPERM: 'tier-read-only',
  EROFS: 'tier-read-only',
  ENOSPC: 'tier-full',
  EDQUOT: 'tier-full',
}

/** The code a failure stands for; `tier-unavailable` when nothing better is known. */
export function failureCode(error: unknown): ErrorCode {
  if (isTidemarkError(error)) return error.code
  if (!(error instanceof Error)) return 'tier-unavailable'
  if ('errcode' in error && typeof error.errcode === 'number')
    return BY_RESULT[error.errcode & 0xff] ?? 'tier-unavailable'
  if ('code' in error && typeof error.code === 'string') return BY_ERRNO[error.code] ?? 'tier-unavailable'
  return 'tier-unavailable'
}

/** True when only this statement's own data was at fault (too big, a constraint), not the tier. */
export function isStatementFailure(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false
  const result = error.errcode & 0xff
  return result === 18 || result === 19 || result === 20
}

/** The failure as an error of ours, its cause kept. */
export function tierFailure(error: unknown, path: string): TidemarkError {
  if (isTidemarkError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  return new TidemarkError(failureCode(error), `SQLite tier at ${path}: ${message}`, { cause: error, data: { path } })
}
