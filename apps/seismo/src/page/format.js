// @ts-check
// Numbers and times as people read them. Values come from units and from records of older programs: anything may be
// missing or of another type, and is then a dash.

const NOTHING = '–'

/**
 * @param {unknown} value
 * @returns {string}
 */
export function text(value) {
  return typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : NOTHING
}

/**
 * A measured value with its unit, three digits and all before the point: `0.127 in/s`.
 *
 * @param {unknown} value
 * @param {string} [unit]
 */
export function quantity(value, unit) {
  if (typeof value !== 'number' || !Number.isFinite(value)) return NOTHING
  const size = Math.abs(value)
  const isTiny = size > 0 && size < 1e-5
  const digits = size >= 100 ? Math.round(value) : isTiny ? value.toExponential(2) : Number(value.toPrecision(3))
  return unit === undefined ? String(digits) : `${digits} ${unit}`
}

/** @param {unknown} value */
export function volts(value) {
  return typeof value === 'number' ? `${value.toFixed(2)} V` : NOTHING
}

/** @param {number} bytes */
export function kilobytes(bytes) {
  return Math.round(bytes / 1024).toLocaleString('en')
}

/**
 * The time of an event as the unit's own clock had it; units know no zones. Older records have it as an object.
 *
 * @param {unknown} timestamp
 * @returns {string}
 */
export function eventTime(timestamp) {
  if (typeof timestamp === 'object' && timestamp !== null) {
    const { iso, string } = /** @type {{ iso?: unknown, string?: unknown }} */ (timestamp)
    return eventTime(iso ?? string)
  }
  return text(timestamp).replace(/^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2}).*$/, '$1 $2')
}

/**
 * Seconds since something happened, or until it does, with one or two units.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 120) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} days`
}

/**
 * `1 event`, `2 events`.
 *
 * @param {number} count
 * @param {string} noun
 */
export function counted(count, noun) {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

/**
 * Where a unit is, without the word that says how.
 *
 * @param {string} unit
 */
export function addressOf(unit) {
  return unit.replace(/^(tcp|serial):/, '')
}
