import type { Clock } from '../clock.ts'
import { durationMs, type Duration } from '../duration.ts'

interface Timer {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

/** 2030-01-01T00:00:00Z: far from the machine's own time, so that a forgotten real clock shows. */
const DEFAULT_START_MS = 1_893_456_000_000

/**
 * A clock that stands still until it is told to move.
 *
 * @example
 * const clock = new FakeClock()
 * await using tide = createTidemark({ tiers: [memory()], clock })
 * await clock.advance('30s')
 */
export class FakeClock implements Clock {
  #now: number
  #order = 0
  readonly #timers = new Set<Timer>()

  /** @param startMs milliseconds since 1970; defaults to the first of January 2030 */
  constructor(startMs: number = DEFAULT_START_MS) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  coarse(): number {
    return this.#now
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** How many timers wait: a leak shows here. */
  get timers(): number {
    return this.#timers.size
  }

  /** Moves time on; runs what becomes due on the way, in order. */
  async advance(duration: Duration): Promise<void> {
    const target = this.#now + durationMs(duration, 'advance')
    for (;;) {
      const due = this.#nextUntil(target)
      if (!due) break
      this.#timers.delete(due)
      this.#now = Math.max(this.#now, due.at)
      due.callback()
      await settled()
    }
    this.#now = target
    await settled()
  }

  /** Moves time on at once, as if nothing had run in between: what is due by then runs once. For very long times. */
  async jump(duration: Duration): Promise<void> {
    this.#now += durationMs(duration, 'jump')
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now || !this.#timers.delete(timer)) continue
      timer.callback()
    }
    await settled()
  }

  #nextUntil(target: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at > target) continue
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer
    }
    return next
  }
}

const TURNS = 3

/** Gives promises, and tiers that commit by turns of the event loop, time to finish. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
}
