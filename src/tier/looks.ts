/** How often changes are looked for while nobody tells of them. */
const POLL_MS = 50
/** And every so many times while somebody does: a connection can be dead without knowing. */
const LIVE_EVERY = 20
/** How long a look is waited for before the next one may begin: its connection can be dead without anybody saying so. */
const PATIENCE_MS_MIN = 2_000
/** After several in a row without an answer: a store that is slow is not asked ever more, and given up ones do not pile up. */
const PATIENCE_MS_MAX = 30_000

/** Looks for what other processes changed: now for whoever asks, and from time to time. */
export class Looks {
  readonly #look: () => Promise<void>
  /** One look for all who ask in the same turn of the event loop. */
  #next: Promise<void> | undefined
  #isLooking = false
  #isWanted = false
  #patienceMs = PATIENCE_MS_MIN

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

  /**
   * Looks soon; once more when it looks already, but never more than one at a time: while the connection is down, a look
   * waits. One that is not answered is given up; what it would have told the next one tells.
   */
  soon(): void {
    if (this.#isLooking) {
      this.#isWanted = true
      return
    }
    this.#isLooking = true
    this.#isWanted = false
    let isOver = false
    const over = (patienceMs: number): void => {
      // The answer to what was given up: another look is on its way, or was made.
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      this.#patienceMs = patienceMs
      this.#isLooking = false
      if (this.#isWanted) this.soon()
    }
    const timer = setTimeout(() => over(Math.min(this.#patienceMs * 2, PATIENCE_MS_MAX)), this.#patienceMs)
    timer.unref()
    const answered = (): void => over(PATIENCE_MS_MIN)
    // The tier's own operations report a failure; the next look tries again.
    this.now().then(answered, answered)
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
