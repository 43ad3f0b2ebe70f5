import type { Clock } from '../clock.ts'

const noop = (): void => {}
/** The timer is for the process alone: nothing happens when it runs out but that it is wound up again. */
const HOLD_MS_MIN = 60_000

/**
 * Keeps the process alive while callers wait for loads that have a deadline: the timers of deadlines do not, so that a load
 * behind a stale value keeps no program from ending, and a caller with nothing else to do would never hear of a loader that
 * hangs. One timer, however many wait.
 */
export class Hold {
  readonly #clock: Clock
  readonly #hardMs: number
  #waiting = 0
  #release: () => void = noop

  /** `hardMs`: the deadline of one load; with none there is nothing to wait for that must come. */
  constructor(clock: Clock, hardMs: number) {
    this.#clock = clock
    this.#hardMs = hardMs
  }

  /** What the promise brings; until then the process lives. */
  async during<T>(waited: Promise<T>): Promise<T> {
    if (this.#hardMs === Number.POSITIVE_INFINITY) return waited
    if (++this.#waiting === 1) this.#windUp()
    try {
      return await waited
    } finally {
      if (--this.#waiting === 0) this.#release()
    }
  }

  #windUp(): void {
    this.#release = this.#clock.schedule(Math.max(this.#hardMs, HOLD_MS_MIN), () => this.#windUp(), true)
  }
}
