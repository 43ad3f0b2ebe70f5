import { COUNTS_PER_STEP, digitize } from './channels.ts'
import type { ChannelName } from '../unit/client.ts'
import type { Random } from './random.ts'

/** A histogram keeps the largest value of each minute. */
export const INTERVALS_PER_SECOND: number = 1 / 60

/** Hours of a quiet site, a value per minute and channel, in counts; now and then something drives by. */
export function histogram(random: Random): Record<ChannelName, Int16Array> {
  const intervals = random.integer(60, 300)
  const channel = (quiet: number, loud: number): Int16Array =>
    digitize(
      Float64Array.from({ length: intervals }, () => {
        const isPassing = random.next() < 0.03
        return (quiet + random.next() * (isPassing ? loud : quiet)) * COUNTS_PER_STEP
      }),
    )
  return { tran: channel(1, 18), vert: channel(1, 24), long: channel(1, 18), micL: channel(2, 30) }
}
