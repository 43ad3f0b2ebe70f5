// Which failures are the source's own, and which are those of what it was asked.

const CODES: ReadonlySet<unknown> = new Set([
  // Sockets and names.
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH'],
  ...['ENETDOWN', 'ENOTFOUND', 'EAI_AGAIN'],
  // fetch of Node.js.
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_SOCKET'],
  // postgres.js.
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT'],
  // PostgreSQL: shutting down, crashed, starting up, a session that sat idle, a statement that took too long.
  ...['57P01', '57P02', '57P03', '57P05', '25P03', '57014'],
  // Ours.
  ...['load-timeout', 'source-unavailable'],
])

/** Classes of SQLSTATE: connection exceptions, no resources left, errors of the system below. */
const CLASSES: ReadonlySet<string> = new Set(['08', '53', '58'])

/** What `pg` says without a code. */
const MESSAGES =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed and is not queryable)/

/**
 * True when an error says that the source cannot be reached or cannot answer: refused, reset, timed out, shutting down, no
 * connection free. False for what it answered: a constraint, a syntax error, a row that is not there. Looks into causes.
 *
 * Knows Node's sockets and `fetch`, PostgreSQL's codes, `pg` and postgres.js.
 */
export function isSourceUnavailable(error: unknown): boolean {
  return isUnavailable(error, 0)
}

const DEPTH_MAX = 8

function isUnavailable(error: unknown, depth: number): boolean {
  if (typeof error !== 'object' || error === null || depth > DEPTH_MAX) return false
  const { code, name, message, cause, errors } = error as Readonly<Record<string, unknown>>
  if (CODES.has(code) || name === 'AbortError' || name === 'TimeoutError') return true
  // A code of PostgreSQL that is none of these is an answer, whatever caused it.
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return CLASSES.has(code.slice(0, 2))
  if (typeof message === 'string' && MESSAGES.test(message)) return true
  if (Array.isArray(errors) && errors.some((it) => isUnavailable(it, depth + 1))) return true
  return isUnavailable(cause, depth + 1)
}
