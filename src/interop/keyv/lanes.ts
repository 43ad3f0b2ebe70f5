/** So many operations are under way at once; a group of a million entries must not become a million requests. */
const AT_ONCE_MAX = 64

/** What is done to a key is done in the order it was asked for, whatever the store makes of its requests. */
export class Lanes {
  readonly #last = new Map<string, Promise<void>>()
  readonly #waiting: (() => void)[] = []
  #running = 0

  /** Runs after everything that was asked for this key before, whatever became of that. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const done = before ? before.then(() => this.#bounded(work)) : this.#bounded(work)
    const settled: Promise<void> = done.then(
      () => this.#leave(key, settled),
      () => this.#leave(key, settled),
    )
    this.#last.set(key, settled)
    return done
  }

  /** Resolves when what was asked for this key is done or has failed; `undefined` when nothing is under way. */
  settled(key: string): Promise<void> | undefined {
    return this.#last.get(key)
  }

  /** Resolves when nothing is under way any more. */
  async drained(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values())
  }

  #leave(key: string, settled: Promise<void>): void {
    if (this.#last.get(key) === settled) this.#last.delete(key)
  }

  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running++
    try {
      return await work()
    } finally {
      // The place is handed on, not given up.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
