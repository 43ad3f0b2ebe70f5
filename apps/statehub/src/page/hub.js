// @ts-check
// Asking the hub.

/**
 * @typedef {import('../summary/snapshot.ts').Snapshot} Snapshot
 *
 * @typedef {object} Read What a read was answered with.
 * @property {Snapshot} snapshot
 * @property {'hit-revision' | 'stale' | 'miss' | 'progress-section'} outcome
 * @property {string} revision
 * @property {number} elapsedMs in the hub
 * @property {number} at on the page's own clock
 *
 * @typedef {object} Section
 * @property {string} section
 * @property {string} state
 * @property {string | undefined} revision
 * @property {string | undefined} current
 * @property {number | undefined} built_at
 * @property {number | undefined} as_of
 *
 * @typedef {object} Health
 * @property {{ kind: string, schema: string }} database
 * @property {{ reason: string, sections: readonly Section[] }} summary
 * @property {string | null} last_error
 */

/**
 * Reads the summary. `no-cache` asks the hub whether what the browser has still holds; `no-store` would ask for a rebuild.
 *
 * @param {boolean} isForced
 * @returns {Promise<Read>}
 */
export async function readSummary(isForced) {
  const response = await fetch(`/state/summary${isForced ? '?refresh=true' : ''}`, { cache: 'no-cache' })
  await refuseFailure(response)
  const header = (/** @type {string} */ name) => response.headers.get(`X-StateHub-${name}`) ?? ''
  return {
    snapshot: /** @type {Snapshot} */ (await response.json()),
    outcome: /** @type {Read['outcome']} */ (header('Cache')),
    revision: header('Revision'),
    elapsedMs: Number(header('Elapsed-Ms')),
    at: Date.now(),
  }
}

/** @returns {Promise<Health>} */
export async function readHealth() {
  const response = await fetch('/state/health', { cache: 'no-store' })
  await refuseFailure(response)
  return response.json()
}

/**
 * Writes something.
 *
 * @param {'POST' | 'PATCH'} method
 * @param {string} path
 * @param {Readonly<Record<string, unknown>>} body
 */
export async function write(method, path, body) {
  const headers = { 'Content-Type': 'application/json' }
  /** @type {RequestInit} */
  const request = { method, headers, body: JSON.stringify(body) }
  await refuseFailure(await fetch(path, request))
}

/** @param {Response} response */
async function refuseFailure(response) {
  if (response.ok) return
  const body = /** @type {{ error?: { message?: string, hint?: string } }} */ (await response.json().catch(() => ({})))
  const { message = `The hub answered ${response.status}.`, hint } = body.error ?? {}
  throw new Error(hint === undefined ? message : `${message} ${hint}`)
}
