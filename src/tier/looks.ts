/** How often changes are looked for while nobody tells of them. */
const POLL_MS = 50
/** And every so many times while somebody does: a connection can be dead without knowing. */
const LIVE_EVERY = 20

/** Looks for what other processes changed: now for whoever asks, and from time to time. */
export class Looks {
  readonly #look: () => Promise<void>
  /** One look for all who ask in the same turn of the event loop. */
  #next: Promise<void> | undefined
  #isLooking = false
  #isWanted = false

  constructor(look: () => Promise<void>) {
    this.#look = look
  }

  /** Looks after this moment. Errors: those of the look. */
  now(): Promise<void> {
    this.#next ??= new Promise((resolve) => process.nextTick(resolve)).then(() => {
      this.#next = undefined
      return this.#look()
    })
    return this.#next
  }

  /** Looks soon; once more when it looks already, but never more than one at a time: while the connection is down, a look waits. */
  soon(): void {
    if (this.#isLooking) {
      this.#isWanted = true
      return
    }
    this.#isLooking = true
    this.now()
      // The tier's own operations report the failure; the next look tries again.
      .catch(() => {})
      .finally(() => {
        this.#isLooking = false
        if (this.#isWanted) this.soon()
      })
    this.#isWanted = false
  }

  /**
   * Looks regularly until the returned function is called; seldom while `isLive` says that changes are told. By real time,
   * whatever clock the cache goes by: this looks for what other processes do.
   */
  regularly(isLive: () => boolean): () => void {
    let ticks = 0
    const timer = setInterval(() => {
      if (++ticks % LIVE_EVERY === 0 || !isLive()) this.soon()
    }, POLL_MS)
    timer.unref()
    return () => clearInterval(timer)
  }
}
