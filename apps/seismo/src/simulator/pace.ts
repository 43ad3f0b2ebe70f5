import { setTimeout as sleep } from 'node:timers/promises'

/** Time on a unit's line: as long as a real unit takes, divided by `scale`. Counts what was spent. */
export class Pace {
  readonly #scale: number
  #lineMs = 0

  constructor(scale: number) {
    this.#scale = scale
  }

  /** Milliseconds spent so far, at a real unit's pace. */
  get lineMs(): number {
    return this.#lineMs
  }

  /** `ms` at a real unit's pace. Rejects when the signal aborts; only the time until then is counted. */
  async spend(ms: number, signal: AbortSignal): Promise<void> {
    const startedMs = performance.now()
    try {
      await sleep(ms / this.#scale, undefined, { signal })
      this.#lineMs += ms
    } catch (error) {
      this.#lineMs += Math.min(ms, (performance.now() - startedMs) * this.#scale)
      throw error
    }
  }

  /** `ms` on this machine's clock, whatever the scale. */
  spendHere(ms: number, signal: AbortSignal): Promise<void> {
    return this.spend(ms * this.#scale, signal)
  }
}
