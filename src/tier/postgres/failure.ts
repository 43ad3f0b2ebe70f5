// What PostgreSQL and its clients report, in our codes.

import { TidemarkError, isTidemarkError, type ErrorCode } from '../../errors.ts'

interface Meaning {
  readonly code: ErrorCode
  readonly hint?: string
}

const BUSY: Meaning = {
  code: 'tier-busy',
  hint: 'Something holds its tables or rows up; it is probed again by itself.',
}
const RIGHTS: Meaning = {
  code: 'tier-unavailable',
  hint: 'Give the role of this connection the rights docs/tiers/postgres.md lists.',
}
const LOGIN: Meaning = { code: 'tier-unavailable', hint: 'Give the client a user and a password PostgreSQL takes.' }
const STANDBY: Meaning = {
  code: 'tier-read-only',
  hint: 'The client is connected to a standby: connect it to the primary.',
}

/** SQLSTATEs, whole or by class (postgresql.org/docs/current/errcodes-appendix.html); the whole one counts first. */
const BY_STATE: Readonly<Record<string, Meaning>> = {
  '0A000': STANDBY,
  '25006': STANDBY,
  '28': LOGIN,
  '40': BUSY,
  '42501': RIGHTS,
  '53100': { code: 'tier-full', hint: 'The disk of PostgreSQL is full: free space; writes resume by themselves.' },
  '53300': { code: 'tier-unavailable', hint: 'PostgreSQL has no connection left: see who holds them.' },
  '55P03': BUSY,
  '57014': BUSY,
  TM002: {
    code: 'tier-unavailable',
    hint: 'Hand in a pool, or a connection of its own, whose transactions are `read committed`, as they are by default.',
  },
  TM003: { code: 'tier-newer', hint: 'A newer Tidemark made these tables: upgrade, or choose another schema.' },
  TM004: { code: 'tier-foreign', hint: 'Another program uses this schema: choose another one; nothing was touched.' },
}

/** Our tables or functions are not there (any more), as are those of the life we knew. */
const MISSING: ReadonlySet<string> = new Set(['3F000', '42P01', '42883', 'TM001'])

/** The failure as an error of ours, its cause kept. */
export function pgFailure(error: unknown): TidemarkError {
  if (isTidemarkError(error)) return error
  const state = stateOf(error)
  const known = BY_STATE[state] ?? BY_STATE[state.slice(0, 2)]
  // A refused connection comes as an error of several, without a message.
  const message = (error instanceof Error ? error.message : String(error)) || state
  return new TidemarkError(known?.code ?? 'tier-unavailable', `PostgreSQL: ${message}`, {
    cause: error,
    data: { state },
    ...(known?.hint === undefined ? undefined : { hint: known.hint }),
  })
}

/** True when what a statement needs is not there: it has to be looked for, or made, anew. */
export function isMissing(error: unknown): boolean {
  return isTidemarkError(error) && MISSING.has(String(error.data['state']))
}

/** The error for a statement that could not be sent, or not be made, in time. */
export function cameTooLate(what: string, budgetMs: number): TidemarkError {
  return new TidemarkError('tier-unavailable', `PostgreSQL: ${what} came later than ${budgetMs} ms and was not made.`, {
    data: { budgetMs },
  })
}

/** The error for what PostgreSQL did not answer at all. */
export function neverAnswered(what: string, afterMs: number): TidemarkError {
  return new TidemarkError('tier-unavailable', `PostgreSQL: no answer to ${what} within ${afterMs} ms.`, {
    hint: 'Its connection may be dead without anybody saying so; it is asked again, on another one if the client has one.',
  })
}

/** The error for what is lost each time it was just found. */
export function lostAgain(): TidemarkError {
  return new TidemarkError('tier-unavailable', 'PostgreSQL: the tables of the cache are lost again and again.', {
    hint: 'Something empties or drops them all the time, or servers change: look at what else uses the schema.',
  })
}

function stateOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}
