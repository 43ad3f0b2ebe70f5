import type { SeismographClient } from '../unit/client.ts'

/** The line to a unit hangs up after so much silence, so that others can dial the unit. */
const IDLE_MS = 15_000

/**
 * The line to one unit: one conversation at a time, in the order they were asked for. One that is given up before its turn
 * leaves the queue; one that is running when it is given up is told so by its signal, and the next begins when it has ended.
 */
export class Line {
  readonly #dial: () => SeismographClient
  #client: SeismographClient | undefined
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #idle: NodeJS.Timeout | undefined

  readonly #onIdle: () => void

  /** `dial` makes a client; it connects when it is first asked something. `onIdle`: it hung up, and holds nothing. */
  constructor(dial: () => SeismographClient, onIdle: () => void = () => {}) {
    this.#dial = dial
    this.#onIdle = onIdle
  }

  /** Conversations running or waiting. */
  get length(): number {
    return this.#waiting
  }

  async converse<T>(signal: AbortSignal | undefined, talk: (client: SeismographClient) => Promise<T>): Promise<T> {
    const before = this.#last
    const turn = Promise.withResolvers<void>()
    this.#last = turn.promise
    this.#waiting++
    clearTimeout(this.#idle)
    try {
      await before
      signal?.throwIfAborted()
      this.#client ??= this.#dial()
      return await talk(this.#client)
    } finally {
      this.#waiting--
      if (this.#waiting === 0) this.#hangUpLater()
      turn.resolve()
    }
  }

  /** Hangs up when the last conversation has ended. */
  async close(): Promise<void> {
    await this.#last
    clearTimeout(this.#idle)
    await this.#client?.close()
    this.#client = undefined
  }

  #hangUpLater(): void {
    this.#idle = setTimeout(() => {
      const client = this.#client
      this.#client = undefined
      // Nobody waits for this one; the next conversation dials anew.
      void client?.close().catch(() => {})
      this.#onIdle()
    }, IDLE_MS).unref()
  }
}
