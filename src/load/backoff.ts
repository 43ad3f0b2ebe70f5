const BASE_MS = 1_000
const MAX_MS = 30_000
const KEYS_MAX = 10_000

interface Failure {
  readonly failures: number
  readonly retryAt: number
  readonly error: unknown
}

/**
 * After a failed load a key is left alone for a while, longer each time, as long as there is a stale value to answer with:
 * 1 s · 2ⁿ up to 30 s, shortened by chance to at least half (contract C2, `refresh-backoff`).
 */
export class Backoff {
  readonly #failures = new Map<string, Failure>()

  /** The last failure, while the key is being left alone. */
  holding(id: string, now: number): Failure | undefined {
    const failure = this.#failures.get(id)
    return failure && now < failure.retryAt ? failure : undefined
  }

  /** The last failure of a key that has not succeeded since. */
  last(id: string): Failure | undefined {
    return this.#failures.get(id)
  }

  /** Notes a failure; returns when the key may be tried again. */
  failed(id: string, now: number, error: unknown): number {
    const failures = (this.#failures.get(id)?.failures ?? 0) + 1
    const delayMs = Math.min(BASE_MS * 2 ** Math.min(failures - 1, 20), MAX_MS)
    const retryAt = now + Math.ceil(delayMs * (0.5 + Math.random() / 2))
    // Re-inserted, so that the map's order is that of the failures and the oldest is the one to forget.
    this.#failures.delete(id)
    this.#failures.set(id, { failures, retryAt, error })
    if (this.#failures.size > KEYS_MAX) this.#failures.delete(this.#failures.keys().next().value as string)
    return retryAt
  }

  succeeded(id: string): void {
    if (this.#failures.size > 0) this.#failures.delete(id)
  }

  get size(): number {
    return this.#failures.size
  }
}
