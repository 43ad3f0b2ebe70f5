// @ts-check

/**
 * @typedef {import('./api.js').Body} Body
 */

/**
 * Whether a list is of another life of the unit's memory than the one before. The gateway says so once, to whoever asked
 * first; for everybody else the lists themselves tell: fewer events, or another one at the same index.
 *
 * @param {Body} before
 * @param {Body} after
 */
export function isReplaced(before, after) {
  const [old, now] = [eventsOf(before), eventsOf(after)]
  return now.length < old.length || old.some((event, i) => isOther(event, now[i]))
}

/**
 * @param {Body} body
 * @returns {readonly Body[]}
 */
function eventsOf({ events }) {
  return Array.isArray(events) ? events : []
}

/**
 * Only where both say something and differ: project and stamp of an old record may be filled in later.
 *
 * @param {Body} event
 * @param {Body | undefined} other
 */
function isOther(event, other) {
  return ['waveform_key', 'timestamp'].some((field) => {
    const [one, another] = [event[field], other?.[field]]
    return typeof one === 'string' && typeof another === 'string' && one !== another
  })
}
