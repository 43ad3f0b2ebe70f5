// @ts-check
// Asking the gateway.

/**
 * @typedef {import('../http/source.ts').Source} Source
 * @typedef {import('../fleet/overview.ts').UnitOverview} UnitOverview
 * @typedef {import('../fleet/downloads.ts').Download} Download
 * @typedef {Readonly<Record<string, unknown>>} Body
 *
 * @typedef {object} Answer What a unit said, by way of the gateway.
 * @property {Body} body
 * @property {Source} source
 * @property {number} receivedMs on the page's own clock
 * @property {boolean} isForced the unit was asked whatever was cached
 *
 * @typedef {object} Question
 * @property {'GET' | 'POST'} [method]
 * @property {string} [unit] connection key
 * @property {boolean} [isForced]
 * @property {number | undefined} [maxAgeSeconds] an answer for which the unit was asked less than this ago will do
 * @property {AbortSignal | undefined} [signal]
 */

/** Why something could not be done, in words for people. */
export class Failure extends Error {
  /**
   * @param {{ code: string, message: string, hint?: string | undefined }} what
   */
  constructor({ code, message, hint }) {
    super(message)
    this.code = code
    this.hint = hint
  }

  /** The message and what to do about it. */
  get words() {
    const message = /[.!?]$/.test(this.message) ? this.message : `${this.message}.`
    const sentence = message.charAt(0).toUpperCase() + message.slice(1)
    return this.hint === undefined ? sentence : `${sentence} ${this.hint}`
  }
}

/**
 * @param {unknown} error
 * @returns {Failure}
 */
export function failureOf(error) {
  return error instanceof Failure ? error : new Failure({ code: 'page', message: String(error) })
}

/**
 * Asks for something a unit says.
 *
 * @param {string} path
 * @param {Question} question
 * @returns {Promise<Answer>} Rejects with a {@link Failure}
 */
export async function answerOf(path, question) {
  const { cache, ...body } = await request(path, question)
  return {
    body,
    source: /** @type {Source} */ (cache),
    receivedMs: performance.now(),
    isForced: question.isForced === true,
  }
}

/**
 * @param {string} path
 * @param {Question} [question]
 * @returns {Promise<Body>} Rejects with a {@link Failure}
 */
export async function request(path, { method = 'GET', unit, isForced, maxAgeSeconds, signal } = {}) {
  const query = new URLSearchParams([
    ...(unit === undefined ? [] : addressOf(unit)),
    ...(isForced === true ? [['force', 'true']] : []),
  ])
  const url = query.size === 0 ? path : `${path}?${query}`
  /** @type {Response} */
  let response
  /** @type {Body} */
  let body
  try {
    /** @type {Record<string, string>} */
    const headers = maxAgeSeconds === undefined ? {} : { 'Cache-Control': `max-age=${maxAgeSeconds}` }
    response = await fetch(url, { method, headers, signal: signal ?? null, cache: 'no-store' })
    body = await response.json()
  } catch (error) {
    throw new Failure({
      code: 'gateway-unreachable',
      message: 'The gateway does not answer',
      hint: `See whether it still runs; this page goes on trying. (${String(error)})`,
    })
  }
  if (response.ok) return body
  const { error } = /** @type {{ error?: { code: string, message: string, hint?: string } }} */ (body)
  throw new Failure(error ?? { code: 'unknown', message: `The gateway answered ${response.status}` })
}

/**
 * The parameters a connection key stands for.
 *
 * @param {string} unit
 * @returns {[name: string, value: string][]}
 */
function addressOf(unit) {
  const [, kind, where, number] = /^(tcp|serial):(.+):(\d+)$/.exec(unit) ?? []
  if (where === undefined || number === undefined) {
    throw new Failure({
      code: 'bad-unit',
      message: `'${unit}' names no unit`,
      hint: 'A unit is tcp:HOST:PORT or serial:PORT:BAUD.',
    })
  }
  return kind === 'tcp'
    ? [
        ['host', where],
        ['tcp_port', number],
      ]
    : [
        ['port', where],
        ['baud', number],
      ]
}
