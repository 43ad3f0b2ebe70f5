// @ts-check
// Asking the service, and remembering what the answers said of themselves.

/**
 * @typedef {import('../http/origin.ts').Origin} Origin
 *
 * @typedef {object} Answer
 * @property {string} path
 * @property {number} status
 * @property {any} body
 * @property {number} tookMs
 */

/** Why something could not be done, in words for people. */
export class Failure extends Error {
  /**
   * @param {string} message
   * @param {number} [status]
   */
  constructor(message, status) {
    super(message)
    this.status = status
  }
}

/** @type {((answer: Answer) => void)[]} */
const listeners = []

/**
 * Hears of every answer.
 *
 * @param {(answer: Answer) => void} listener
 */
export function onAnswer(listener) {
  listeners.push(listener)
}

/**
 * @param {'GET' | 'PATCH' | 'POST'} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>} Rejects with a `Failure`
 */
export async function ask(method, path, body) {
  const began = performance.now()
  /** @type {RequestInit} */
  const init = { method, cache: method === 'GET' ? 'no-cache' : 'no-store' }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { 'Content-Type': 'application/json' }
  }
  const response = await fetch(path, init).catch((error) => {
    throw new Failure(`The service does not answer (${String(error)}). This page goes on trying.`)
  })
  const answer = await response.json()
  for (const listener of listeners)
    listener({ path: `${method} ${path}`, status: response.status, body: answer, tookMs: performance.now() - began })
  if (response.ok) return answer
  throw new Failure(answer.error?.message ?? `The service answered ${response.status}.`, response.status)
}
