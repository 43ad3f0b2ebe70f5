import type { ChangeFeed, ChangedSlots } from '../tier.ts'
import type { Log } from './log.ts'
import type { Replica } from './replica.ts'

/** How old what is known of other processes' changes gets, when nobody reads strictly. */
export const LOOK_MS = 50
/** Every so many looks the file itself is checked: it may have been moved or replaced. */
const FILE_CHECK_EVERY = 20

/** The news of other processes: what they appended to the log. */
export class Changes implements ChangeFeed {
  readonly #log: Log
  readonly #replica: Replica
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(log: Log, replica: Replica) {
    this.#log = log
    this.#replica = replica
  }

  listen(listener: (changed: ChangedSlots) => void): void {
    this.#log.onChanges = listener
  }

  check(): void {
    this.look()
    this.#log.tell()
  }

  /**
   * Takes in what others changed and tells of it at the next check: a reader that finds what another process has just
   * stored may keep a copy of it.
   */
  look(): void {
    this.#log.look()
    this.#lookedAt = performance.now()
  }

  /** Looks if that was not done lately: a read answers what was true {@link LOOK_MS} ago at most. */
  lookNowAndThen(): void {
    this.#log.open()
    if (performance.now() - this.#lookedAt >= LOOK_MS) this.look()
  }

  /** By real time, whatever clock the cache goes by: this looks for what other processes do. */
  poll(): () => void {
    let looks = 0
    const look = (): void => {
      try {
        if (++looks % FILE_CHECK_EVERY === 0) this.#log.checkFile()
        this.check()
      } catch {
        // The tier's own operations report the failure; the next look tries again.
      }
    }
    const timer = setInterval(look, LOOK_MS)
    timer.unref()
    return () => clearInterval(timer)
  }

  /** The sequence now, with everything other processes appended so far. */
  lease(): number {
    this.check()
    return this.#replica.sequence
  }
}
