import type { ChannelName } from '../unit/client.ts'

/** Counts per step: a 12-bit converter whose value stands in the upper bits of 16. */
export const COUNTS_PER_STEP = 16
const MAX_COUNTS = 32_767 - (32_767 % COUNTS_PER_STEP)
/** Full range of a geophone, in/s. */
const GEOPHONE_RANGE = 10
const GEOPHONE_SCALE = GEOPHONE_RANGE / 32_768
/** One step of the microphone is 81.94 dB, 0.25 Pa; in psi per count. Full range is 148 dB. */
const MICROPHONE_SCALE = (10 ** (81.94 / 20) * 20e-6) / COUNTS_PER_STEP / 6894.757

/** Physical units per count: in/s for the geophones, psi for the microphone. */
export const SCALE: Readonly<Record<ChannelName, number>> = Object.freeze({
  tran: GEOPHONE_SCALE,
  vert: GEOPHONE_SCALE,
  long: GEOPHONE_SCALE,
  micL: MICROPHONE_SCALE,
})

/** What the converter makes of a signal in counts: whole steps, clipped at its range. */
export function digitize(signal: Float64Array): Int16Array {
  return Int16Array.from(signal, (counts) => {
    const stepped = Math.round(counts / COUNTS_PER_STEP) * COUNTS_PER_STEP
    return Math.max(-MAX_COUNTS, Math.min(MAX_COUNTS, stepped))
  })
}
