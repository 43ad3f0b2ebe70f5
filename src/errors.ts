// Every error a caller can meet, with the operator's next step. docs/errors.md lists the same table; a test compares them.

/** What to do about each error code: the default `hint` of a {@link TidemarkError} with that code. */
export const ERROR_HINTS = {
  'invalid-option': 'Correct the option named in the message; docs/options.md lists what each one takes.',
  'unknown-option': 'Remove the option or fix its spelling; options that nothing reads are refused.',
  'invalid-duration': "Write a duration as '300ms', '30s', '5m', '1h', '7d', or a number of milliseconds.",
  'invalid-key': 'Use a string, a number, a boolean, or a tuple of them as the key.',
  'invalid-value': 'Store JSON values, Date, Map, Set, BigInt, Buffer or typed arrays; use null for "there is none".',
  'name-taken': 'Give every resource, collection and view of one Tidemark a name of its own.',
  'load-timeout': 'The source did not answer within timeout.hard: raise it, or look at why the source hangs.',
  'load-returned-undefined': 'Return null from load when the source has no such thing; undefined is never cached.',
  'source-unavailable':
    'The source cannot answer, and nothing may be handed out in its place: see the cause, and the source.',
  'older-version': 'The stored value is of a later version: read it again before you write.',
  'reentrant-load': 'A loader waits for its own key, directly or through another loader: break the circle.',
  'out-of-range': 'Ask for an index that exists: 0 to total - 1.',
  closed: 'The cache was closed: create a new one, or close it later.',
  'keyring-required': "Give createTidemark a keyring, such as keyring.fromEnv('TIDEMARK_KEYS').",
  'keyring-unreadable':
    'Set the variable, or make the file readable by its owner only; docs/sealing.md shows the format.',
  'seal-unknown-key': 'Add the key it was sealed under to the keyring as a previous one; the value is left alone.',
  'seal-damaged': 'It counts as a miss and is loaded again; look at who can write where the cache lies.',
  'seal-missing': 'It was stored before `secrets` was declared: it counts as a miss, and rekey() removes what is left.',
  'seal-undeclared': 'Declare `secrets` for this name, or clear it; until then it counts as a miss.',
  'seal-exhausted': 'Make another key the active one; what is loaded until then stays in memory.',
  'import-refused': 'Import what export() wrote, whole, into a Tidemark of the same version or newer.',
  'revision-not-installed': 'Put the triggers on: `tidemark install-revisions --tables …`, or installRevisions().',
  'revision-table': 'Name tables as the connection finds them, with their schema where it is not in the search path.',
  'revision-in-transaction':
    'Hand in a pool, or a connection of its own: what an open transaction wrote may never be committed.',
  'tier-busy': 'Another process holds the database lock; the operation is retried by itself.',
  'tier-full': 'The disk is full: free space; writes resume by themselves.',
  'tier-read-only': 'The cache directory cannot be written: check its permissions; reads go on.',
  'tier-corrupt': 'The file was damaged: it was moved aside as .corrupt-<time> and a new one was started.',
  'tier-unavailable': 'The tier could not be reached or opened: see the cause; it is probed again by itself.',
  'tier-foreign': 'The file is a database of another program: choose another path, nothing in it was touched.',
  'tier-newer': 'The file was written by a newer Tidemark: upgrade, or choose another path; nothing in it was touched.',
  'artifact-name': 'Name folders and files by one part of a path; docs/artifacts.md says what a name may consist of.',
  'artifact-empty': 'Give at least one frame, and an encoder and a codec that make bytes of it; nothing was written.',
  'artifact-conflict': 'Something else is stored under that name: give it another name, or delete it first.',
  'artifact-changed': 'The file was made anew after it was opened: open it again.',
  'artifact-damaged': 'The file is not the one that was written: regenerate() makes it anew from its source.',
  'artifact-malformed': 'The sidecar is damaged: restore it, or delete it and save or regenerate() anew.',
  'artifact-newer': 'A newer program wrote it: upgrade; nothing was touched.',
  'artifact-unsafe': 'A link or something else stands where a folder or a file should: remove it; it was not followed.',
  'artifact-quota': 'The quota is used up: raise it, or make room with gc() or delete().',
  'artifact-busy': 'Another process is writing and does not end: see which one it is.',
  'artifact-unavailable': 'The folder cannot be read or written: see the cause.',
} as const

/** The literal codes of all errors Tidemark throws. */
export type ErrorCode = keyof typeof ERROR_HINTS

/**
 * The one error class. `code` is stable and meant for `switch`; `hint` says what an operator does next;
 * `data` carries the facts of the case; `cause` the error underneath, when there is one.
 *
 * @example
 * try { await status.get('tcp:10.0.0.7:12345') } catch (error) {
 *   if (isTidemarkError(error, 'load-timeout')) console.warn(error.hint)
 * }
 */
export class TidemarkError extends Error {
  override readonly name = 'TidemarkError'
  readonly code: ErrorCode
  readonly hint: string
  readonly data: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    more: { hint?: string; data?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.code = code
    this.hint = more.hint ?? ERROR_HINTS[code]
    this.data = Object.freeze({ ...more.data })
  }
}

/**
 * True for a {@link TidemarkError}, also one from another copy of the package (so not by `instanceof`);
 * with `code`, only for that code.
 */
export function isTidemarkError(error: unknown, code?: ErrorCode): error is TidemarkError {
  if (!(error instanceof Error) || error.name !== 'TidemarkError' || !('code' in error)) return false
  return code === undefined || error.code === code
}

/** The error for an option that does not fit: names the option, what was expected and what came. */
export function invalidOption(option: string, expected: string, got: unknown): TidemarkError {
  return new TidemarkError('invalid-option', `Expected \`${option}\` to be ${expected}, got ${describe(got)}.`, {
    data: { option, expected },
  })
}

/** Refuses what is no object of options, and option names that nothing reads, with the names that exist. */
export function refuseUnknown(where: string, options: object, known: readonly string[]): void {
  // `timeout: 5000` or `sqlite('cache.db')` would otherwise be read as options without names, and go unheard.
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidOption(where, `an object of ${known.map((k) => `\`${k}\``).join(', ')}`, options)
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new TidemarkError(
      'unknown-option',
      `Unknown option \`${name}\` for ${where}. It takes: ${known.map((k) => `\`${k}\``).join(', ')}.`,
      { data: { option: name, where } },
    )
  }
}

/** A short rendering of any value for a message: its kind, and its content only when that is short and plain. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value)
  if (typeof value === 'string')
    return value.length > 60 ? `a string of ${value.length} characters` : JSON.stringify(value)
  if (typeof value === 'number' || typeof value === 'bigint') return `${typeof value} ${value}`
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  if (Array.isArray(value)) return `an array of ${value.length}`
  const kind: unknown = value.constructor?.name
  return typeof kind === 'string' && kind !== 'Object' && kind !== '' ? `a ${kind}` : 'an object'
}
