/** So many at a time; the others wait in order, and may give up. */
export class Limit {
  readonly #max: number
  readonly #waiting = new Set<() => void>()
  #running = 0

  constructor(max: number) {
    this.#max = max
  }

  get running(): number {
    return this.#running
  }

  async run<T>(work: () => T | Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#running < this.#max) this.#running++
    else await this.#turn(signal)
    // Work that ignores its signal may never end; its place is free when it is given up.
    const { promise: givenUp, reject } = Promise.withResolvers<never>()
    const giveUp = (): void => reject(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      return await Promise.race([work(), givenUp])
    } finally {
      signal.removeEventListener('abort', giveUp)
      this.#next()
    }
  }

  /** Resolves when it is one's turn; whoever was there before has left the place to us. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = (): void => {
        this.#waiting.delete(go)
        reject(signal.reason as Error)
      }
      if (signal.aborted) return giveUp()
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.add(go)
    })
  }

  #next(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#running--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
