// @ts-check

/**
 * @typedef {import('./api.js').Body} Body
 *
 * @typedef {object} Channel
 * @property {string} name
 * @property {string} unit of the samples
 * @property {readonly number[]} samples
 * @property {{ readonly value: number, readonly at: number } | undefined} peak the largest deflection, with its sign;
 * seconds from the trigger
 *
 * @typedef {object} Recording What can be plotted.
 * @property {'waveform' | 'histogram'} type
 * @property {readonly number[]} times seconds from the trigger
 * @property {number} step seconds
 * @property {number} pretrigger seconds
 * @property {readonly Channel[]} channels
 */

/**
 * The recording in an answer; `undefined` where a record of an older program has none of the known shape.
 *
 * @param {Body} body
 * @returns {Recording | undefined}
 */
export function recordingOf({ time, channels, record_type: type, pretrigger_seconds: pretrigger }) {
  const { values, step } = /** @type {{ values?: unknown, step?: unknown }} */ (time ?? {})
  if (!isNumbers(values) || typeof step !== 'number' || typeof channels !== 'object' || channels === null) {
    return undefined
  }
  const read = Object.entries(channels).map(([name, channel]) => channelOf(name, channel, values))
  if (read.includes(undefined)) return undefined
  return {
    type: type === 'histogram' ? 'histogram' : 'waveform',
    times: values,
    step,
    pretrigger: typeof pretrigger === 'number' ? pretrigger : 0,
    channels: /** @type {Channel[]} */ (read),
  }
}

/**
 * @param {string} name
 * @param {unknown} channel
 * @param {readonly number[]} times
 * @returns {Channel | undefined}
 */
function channelOf(name, channel, times) {
  const { unit, samples } = /** @type {{ unit?: unknown, samples?: unknown }} */ (channel ?? {})
  if (!isNumbers(samples) || typeof unit !== 'string') return undefined
  let best = 0
  for (const [i, sample] of samples.entries()) {
    if (Math.abs(sample) > Math.abs(samples[best] ?? 0)) best = i
  }
  const [value, at] = [samples[best], times[best]]
  return { name, unit, samples, peak: value === undefined || at === undefined ? undefined : { value, at } }
}

/**
 * @param {unknown} value
 * @returns {value is readonly number[]}
 */
function isNumbers(value) {
  return Array.isArray(value) && value.length > 0 && value.every((it) => typeof it === 'number')
}
