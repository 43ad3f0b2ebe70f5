import { TidemarkError, describe } from './errors.ts'

/** A length of time: `'300ms'`, `'30s'`, `'5m'`, `'1h'`, `'7d'`, or milliseconds as a number (`Infinity` for ever). */
export type Duration = number | `${number}${Unit}`

type Unit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w'

const UNIT_MS: Readonly<Record<Unit, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const FORM = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/

/**
 * Milliseconds of a duration. `what` names the option for the message.
 * Refuses what is not a duration, negative numbers and NaN with code `invalid-duration`; `0` and `Infinity` are durations.
 *
 * @example
 * durationMs('1.5h', 'keep') // 5_400_000
 */
export function durationMs(duration: unknown, what: string): number {
  if (typeof duration === 'number' && duration >= 0) return duration
  if (typeof duration === 'string') {
    const match = FORM.exec(duration)
    if (match) return Number(match[1]) * UNIT_MS[match[2] as Unit]
  }
  throw new TidemarkError('invalid-duration', `Expected \`${what}\` to be a duration, got ${describe(duration)}.`, {
    data: { option: what },
  })
}
