// @ts-check
// Asking the gateway for files.

import { Failure, request } from '../page/api.js'

/**
 * @typedef {import('../page/api.js').Body} Body
 *
 * @typedef {object} FileLine One line of the list.
 * @property {string} serial
 * @property {string} filename
 * @property {string} time of the unit's own clock
 * @property {Body | null} peaks in/s, psi, dB
 * @property {Body} review
 *
 * @typedef {object} Filter
 * @property {string} [serial]
 * @property {string} [from] a date
 * @property {string} [to] a date, included
 * @property {string} [after] where the page before ended
 */

/**
 * @param {Filter} filter
 * @returns {Promise<{ files: readonly FileLine[], next: string | null }>} Rejects with a `Failure`
 */
export async function listFiles({ serial, from, to, after }) {
  const query = new URLSearchParams()
  if (serial) query.set('serial', serial)
  if (from) query.set('from', from)
  // The day itself is meant too, and times are compared as text.
  if (to) query.set('to', `${to}T~`)
  if (after) query.set('after', after)
  return /** @type {any} */ (await request(`/event-files?${query}`))
}

/**
 * @param {string} serial
 * @param {string} filename
 */
export function pathOf(serial, filename) {
  return `/event-files/${encodeURIComponent(serial)}/${encodeURIComponent(filename)}`
}

/**
 * Changes a review; fields that are `null` are removed.
 *
 * @param {string} path of the file
 * @param {Body} review
 * @returns {Promise<Body>} what is known of the file now. Rejects with a `Failure`
 */
export async function saveReview(path, review) {
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(`${path}/review`, { method: 'PATCH', headers, body: JSON.stringify(review) }).catch(
    (error) => {
      throw new Failure({ code: 'gateway-unreachable', message: 'The gateway does not answer', hint: String(error) })
    },
  )
  const body = await response.json()
  if (response.ok) return body
  throw new Failure(body.error ?? { code: 'unknown', message: `The gateway answered ${response.status}` })
}
