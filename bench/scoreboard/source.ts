import { setTimeout as sleep } from 'node:timers/promises'

const BEGUN_WITHIN_MS = 2_000

/** Where values come from. What a load brings is what the value was when it began. */
export class Source {
  value: unknown
  error: Error | undefined
  loads = 0
  #gate: Promise<void> = Promise.resolve()
  readonly #lastsMs: number

  constructor(value: unknown, lastsMs = 0) {
    this.value = value
    this.#lastsMs = lastsMs
  }

  readonly load = async (): Promise<unknown> => {
    this.loads++
    const { value, error } = this
    await this.#gate
    await sleep(this.#lastsMs)
    if (error) throw error
    return value
  }

  /** Loads that begin from now on wait until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    return () => {
      this.#gate = Promise.resolve()
      resolve()
    }
  }

  /** Loads that begin from now on wait; those that waited go on waiting. */
  unhold(): void {
    this.#gate = Promise.resolve()
  }

  /** Resolves when so many loads have begun. */
  async begun(loads = 1): Promise<void> {
    for (let waitedMs = 0; this.loads < loads; waitedMs++) {
      if (waitedMs >= BEGUN_WITHIN_MS) throw new Error(`of ${loads} loads ${this.loads} began`)
      await sleep(1)
    }
  }
}
