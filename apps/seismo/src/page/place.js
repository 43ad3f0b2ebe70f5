// @ts-check
// What is looked at, in the address of the page: `#unit=tcp:10.0.0.7:12345&event=3`.

/**
 * @typedef {object} Place
 * @property {string | undefined} unit connection key
 * @property {number | undefined} event index
 */

/**
 * @param {string} hash
 * @returns {Place}
 */
export function readPlace(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ''))
  const unit = fields.get('unit') || undefined
  const event = fields.get('event') ?? ''
  return { unit, event: unit !== undefined && /^\d{1,9}$/.test(event) ? Number(event) : undefined }
}

/**
 * @param {string} [unit]
 * @param {number} [event]
 */
export function writePlace(unit, event) {
  if (unit === undefined) return '#'
  const name = encodeURIComponent(unit).replaceAll('%3A', ':').replaceAll('%2F', '/')
  return event === undefined ? `#unit=${name}` : `#unit=${name}&event=${event}`
}
