// Time comes from outside, so that no test sleeps and a stepping wall clock cannot expire or revive anything.

/**
 * Where a cache takes time from. One process uses one clock; tests hand in `FakeClock` from `tidemark/testing`.
 */
export interface Clock {
  /** Whole milliseconds since 1970. Never goes back within one process, whatever the wall clock does. */
  now(): number
  /** Like `now()`, but may lag behind it, normally by at most a millisecond; costs a tenth. Never ahead of it. */
  coarse(): number
  /**
   * Runs `callback` once after `delayMs`; the returned function cancels it. Does not keep the process alive, unless
   * `keepsAlive` says that it shall until then; a clock that is no real one need not.
   */
  schedule(delayMs: number, callback: () => void, keepsAlive?: boolean): () => void
}

/** Within so many ms of an instant the exact clock decides; before, the coarse one is enough. */
const EXACT_MS = 1_000

/**
 * True when a lifetime is over: at `until` it is. The coarse clock may lag while the event loop is blocked, so the last
 * second is judged exactly.
 */
export function hasPassed(until: number, clock: Clock): boolean {
  return until - clock.coarse() < EXACT_MS && until <= clock.now()
}

/** The longest delay a timer of the platform takes; longer ones fire at once there, so they are made of several here. */
const TIMER_MS_MAX = 2 ** 31 - 1
/** So many reads within one millisecond make the clock stop asking the platform and keep the answer. */
const BURST_READS = 16
/** Even inside one millisecond the platform is asked again after so many reads: a blocked loop runs no timers. */
const REREAD_MASK = 63

class SystemClock implements Clock {
  // Anchored once: a later step of the wall clock does not move lifetimes (contract C5, `clock-steps`).
  readonly #anchorMs = Date.now() - performance.now()
  #coarseMs = 0
  #holding = false
  #reads = 0
  #windowStartMs = 0
  #timer: NodeJS.Timeout | undefined

  now(): number {
    return Math.floor(this.#anchorMs + performance.now())
  }

  coarse(): number {
    if (this.#holding) {
      if ((++this.#reads & REREAD_MASK) === 0) this.#coarseMs = this.now()
      return this.#coarseMs
    }
    const now = this.now()
    if (now !== this.#windowStartMs) {
      this.#windowStartMs = now
      this.#reads = 0
    } else if (++this.#reads > BURST_READS) {
      this.#hold(now)
    }
    return now
  }

  schedule(delayMs: number, callback: () => void, keepsAlive = false): () => void {
    let timer: NodeJS.Timeout
    let leftMs = delayMs
    const arm = (): void => {
      const stepMs = Math.min(leftMs, TIMER_MS_MAX)
      leftMs -= stepMs
      timer = setTimeout(leftMs > 0 ? arm : callback, stepMs)
      if (!keepsAlive) timer.unref()
    }
    arm()
    return () => clearTimeout(timer)
  }

  #hold(now: number): void {
    this.#coarseMs = now
    this.#holding = true
    this.#reads = 0
    if (this.#timer) this.#timer.refresh()
    else {
      this.#timer = setTimeout(() => (this.#holding = false), 1)
      this.#timer.unref()
    }
  }
}

/**
 * The clock of the running process, which every cache goes by that is given no other one. Whoever keeps times beside a
 * cache takes them from here too, so that a step of the wall clock finds both of one mind.
 */
export const systemClock: Clock = new SystemClock()
