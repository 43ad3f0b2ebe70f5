// What Redis and its clients report, in our codes.

import { TidemarkError, isTidemarkError, type ErrorCode } from '../../errors.ts'

/** Words Redis begins an error with; older versions put a prefix of their own before those of a script. */
const BY_WORD: Readonly<Record<string, { readonly code: ErrorCode; readonly hint: string }>> = {
  OOM: {
    code: 'tier-full',
    hint: 'Redis is at its maxmemory: raise it, or let it evict entries (maxmemory-policy volatile-lfu); writes resume by themselves.',
  },
  READONLY: { code: 'tier-read-only', hint: 'The client is connected to a replica: connect it to the primary.' },
  MISCONF: { code: 'tier-read-only', hint: 'Redis cannot save to its disk and refuses writes: see its log.' },
  LOADING: { code: 'tier-unavailable', hint: 'Redis is reading its data; it is probed again by itself.' },
  BUSY: { code: 'tier-busy', hint: 'A script of another program holds Redis up; it is probed again by itself.' },
  WRONGTYPE: { code: 'tier-foreign', hint: 'Another program uses these keys: give redis() a prefix of its own.' },
  NOPERM: {
    code: 'tier-unavailable',
    hint: 'Allow the user of this connection the commands docs/tiers/redis.md lists.',
  },
  NOAUTH: { code: 'tier-unavailable', hint: 'Give the client the user and password Redis asks for.' },
  WRONGPASS: { code: 'tier-unavailable', hint: 'Give the client the user and password Redis asks for.' },
}

const WORD = new RegExp(`(?:^|[\\s:-])(${Object.keys(BY_WORD).join('|')})\\b`)

/** The failure as an error of ours, its cause kept. */
export function redisFailure(error: unknown): TidemarkError {
  if (isTidemarkError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  const known = BY_WORD[WORD.exec(message)?.[1] ?? '']
  return new TidemarkError(known?.code ?? 'tier-unavailable', `Redis: ${message}`, {
    cause: error,
    ...(known ? { hint: known.hint } : undefined),
  })
}

/** True when Redis does not have the script a command named: it was restarted, or never had it. */
export function isMissingScript(error: unknown): boolean {
  return isTidemarkError(error) && error.message.startsWith('Redis: NOSCRIPT')
}

/** The error for a write that Redis met too late to make it. */
export function cameTooLate(what: string, budgetMs: number): TidemarkError {
  return new TidemarkError('tier-unavailable', `Redis: ${what} came later than ${budgetMs} ms and was not made.`, {
    data: { budgetMs },
  })
}

/** The error for what is lost each time it was just found. */
export function lostAgain(what: string): TidemarkError {
  return new TidemarkError('tier-unavailable', `Redis: ${what} is lost again and again.`, {
    hint: 'Something empties Redis, or its connection, all the time: look at what else uses it.',
  })
}
