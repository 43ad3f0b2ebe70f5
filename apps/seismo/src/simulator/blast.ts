// What a blast looks like on four channels: holes fired a few milliseconds apart, each a burst of damped oscillations
// through the ground, and the air wave some time after. Noise before, during and after.

import { COUNTS_PER_STEP, SCALE, digitize } from './channels.ts'
import type { ChannelName, ComplianceConfig } from '../unit/client.ts'
import type { Random } from './random.ts'

/** Seconds recorded before the trigger. */
export const PRETRIGGER_SECONDS = 0.25

/** Where in a channel's signal the blast shows, and how. */
interface Shaking {
  /** Largest value, in counts. */
  readonly peak: number
  /** Seconds from the trigger to the first wave. */
  readonly arrival: number
  /** Hertz. */
  readonly frequency: readonly [min: number, max: number]
  /** Seconds until an oscillation has fallen to a third. */
  readonly decay: readonly [min: number, max: number]
}

/** The samples of one blast that crossed the trigger level, in counts. */
export function blast(random: Random, config: ComplianceConfig): Record<ChannelName, Int16Array> {
  const { sampleRate, recordSeconds, triggerLevel } = config
  const length = Math.round((PRETRIGGER_SECONDS + recordSeconds) * sampleRate)
  // Most blasts only just trigger; a few are strong.
  const velocity = Math.min(8, triggerLevel * 1.2 * 8 ** random.next())
  const delays = Array.from({ length: random.integer(3, 7) }, (_, i) => (i * random.between(17, 42)) / 1000)
  const channel = (shaking: Shaking): Int16Array => {
    const signal = burst(random, sampleRate, length, delays, shaking)
    return digitize(signal.map((counts) => counts + random.noise() * COUNTS_PER_STEP))
  }
  const ground = (share: number): Int16Array =>
    channel({ peak: (velocity * share) / SCALE.vert, arrival: 0, frequency: [6, 60], decay: [0.05, 0.35] })
  return {
    tran: ground(random.between(0.4, 0.9)),
    vert: ground(1),
    long: ground(random.between(0.5, 0.95)),
    micL: channel({
      peak: (0.0006 * 16 ** random.next()) / SCALE.micL,
      arrival: random.between(0.15, 0.6),
      frequency: [3, 20],
      decay: [0.04, 0.2],
    }),
  }
}

const OSCILLATIONS_PER_HOLE = 3

function burst(
  random: Random,
  rate: number,
  length: number,
  delays: readonly number[],
  shaking: Shaking,
): Float64Array {
  const signal = new Float64Array(length)
  for (const delay of delays) {
    const start = Math.round((PRETRIGGER_SECONDS + shaking.arrival + delay) * rate)
    for (let i = 0; i < OSCILLATIONS_PER_HOLE; i++) {
      const frequency = random.between(...shaking.frequency) / rate
      oscillate(signal, start, frequency, random.between(...shaking.decay) * rate, random)
    }
  }
  const largest = signal.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
  return signal.map((value) => (value / largest) * shaking.peak)
}

/** Adds one damped oscillation: a phasor turned and shortened sample by sample, which needs no sine per sample. */
function oscillate(signal: Float64Array, start: number, frequency: number, decay: number, random: Random): void {
  const shrink = Math.exp(-1 / decay)
  const turnRe = shrink * Math.cos(2 * Math.PI * frequency)
  const turnIm = shrink * Math.sin(2 * Math.PI * frequency)
  const end = Math.min(signal.length, start + Math.ceil(decay * 9))
  let re = random.between(0.3, 1)
  let im = 0
  for (let i = start; i < end; i++) {
    signal[i] = (signal[i] ?? 0) + im
    const nextRe = re * turnRe - im * turnIm
    im = re * turnIm + im * turnRe
    re = nextRe
  }
}
