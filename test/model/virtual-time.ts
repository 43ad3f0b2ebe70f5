import { setImmediate as turn } from 'node:timers/promises'
import { FakeClock } from 'tidemark/testing'

const REAL = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
}
const realRandom = Math.random.bind(Math)
const realNow = performance.now.bind(performance)

/** What a virtual `setTimeout` returns: as much of a timer as anyone here uses. */
class VirtualTimer {
  cancel: () => void = () => {}

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

/**
 * All time there is, and all chance: while it is installed, timers of the platform, `performance.now()` and the cache's
 * clock are one clock that stands still until it is told to move, and `Math.random()` repeats itself. So a run depends on
 * nothing but its seed.
 */
export class VirtualTime {
  readonly clock: FakeClock = new FakeClock()
  readonly #startedAt: number = this.clock.now()
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  install(): void {
    const { clock } = this
    const once = (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): VirtualTimer => {
      const timer = new VirtualTimer()
      timer.cancel = clock.schedule(Math.max(1, delayMs), () => callback(...args))
      return timer
    }
    const again = (callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]): VirtualTimer => {
      const timer = new VirtualTimer()
      const arm = (): void => {
        timer.cancel = clock.schedule(Math.max(1, delayMs), () => {
          arm()
          callback(...args)
        })
      }
      arm()
      return timer
    }
    const cancel = (timer: unknown): void => {
      if (timer instanceof VirtualTimer) timer.cancel()
    }
    Object.assign(globalThis, { setTimeout: once, setInterval: again, clearTimeout: cancel, clearInterval: cancel })
    performance.now = () => clock.now() - this.#startedAt
    Math.random = () => this.#random()
  }

  /** Gives the platform its own time back. */
  uninstall(): void {
    Object.assign(globalThis, REAL)
    performance.now = realNow
    Math.random = realRandom
  }

  /** Lets what needs no time to pass go on for so many turns of the event loop. */
  async turns(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await turn()
  }

  /** Mulberry32. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
