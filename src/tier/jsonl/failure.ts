// What the file system reports, in our codes.

import { isTidemarkError, TidemarkError, type ErrorCode } from '../../errors.ts'

const BY_ERRNO: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'tier-read-only',
  EPERM: 'tier-read-only',
  EROFS: 'tier-read-only',
  ENOSPC: 'tier-full',
  EDQUOT: 'tier-full',
  EFBIG: 'tier-full',
  EIO: 'tier-full', // Mostly a disk that is full or gone; reads go on where they can.
}

/** The failure as an error of ours, its cause kept. */
export function tierFailure(error: unknown, path: string): TidemarkError {
  if (isTidemarkError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  return new TidemarkError(codeOf(error), `JSONL tier at ${path}: ${message}`, {
    cause: error,
    data: { path },
  })
}

/** The operating system's name of a failure. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function codeOf(error: unknown): ErrorCode {
  return BY_ERRNO[errnoOf(error) ?? ''] ?? 'tier-unavailable'
}
