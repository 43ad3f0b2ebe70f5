/** When a tier in trouble is tried again. */
export interface CircuitSettings {
  /** So many failures in a row take the tier out of use. */
  readonly failureThreshold: number
  /** So many probes in a row must succeed before it is back. */
  readonly successThreshold: number
  readonly probeBaseMs: number
  readonly probeMaxMs: number
}

/**
 * One breaker: closed while things work, open after too many failures in a row, half open while probes decide. Pure: time
 * and chance come in, so that a test can walk through it.
 */
export class Circuit {
  readonly #settings: CircuitSettings
  #failures = 0
  #successes = 0
  #openings = 0
  #nextProbeAt = 0
  #isOpen = false

  constructor(settings: CircuitSettings) {
    this.#settings = settings
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Failures in a row while it is still closed. */
  get failures(): number {
    return this.#failures
  }

  /** Probes that succeeded in a row while it is open. */
  get successes(): number {
    return this.#successes
  }

  /** When the next probe is due, while it is open. */
  get nextProbeAt(): number {
    return this.#nextProbeAt
  }

  /** Notes a success. Returns true when that closed it. */
  success(): boolean {
    this.#failures = 0
    if (!this.#isOpen) return false
    if (++this.#successes < this.#settings.successThreshold) {
      // The next probe may follow at once: the tier answers.
      this.#nextProbeAt = 0
      return false
    }
    this.#isOpen = false
    this.#openings = 0
    return true
  }

  /** Notes a failure; `atOnce` opens it without waiting for the threshold. Returns true when that opened it, or kept it open. */
  failure(now: number, random: number, atOnce = false): boolean {
    this.#failures++
    if (!this.#isOpen && !atOnce && this.#failures < this.#settings.failureThreshold) return false
    this.#isOpen = true
    this.#successes = 0
    const { probeBaseMs, probeMaxMs } = this.#settings
    // Full jitter on the upper half: processes that failed together do not probe together.
    const delayMs = Math.min(probeBaseMs * 2 ** this.#openings, probeMaxMs)
    this.#openings = Math.min(this.#openings + 1, 30)
    this.#nextProbeAt = now + Math.ceil(delayMs * (0.5 + random / 2))
    return true
  }
}
