import { cameTooLate } from './failure.ts'
import type { Link } from './link.ts'

/** One thing to do. It settles its callers itself. */
export interface Job {
  /** For messages. */
  readonly what: string
  /** When its callers began to wait, by `performance.now()`. */
  readonly issuedAtMs: number
  run(): Promise<void>
  refuse(error: unknown): void
}

/**
 * Changes of this process, one after the other: through a pool they would overtake each other. What is asked for meanwhile
 * waits, and shares a transaction where it can, so a burst of sets takes a few round trips.
 */
export class Lane {
  readonly #link: Link
  #queue: Job[] = []
  #isRunning = false

  constructor(link: Link) {
    this.#link = link
  }

  /** The job that was added last, if it has not begun. */
  get last(): Job | undefined {
    return this.#queue.at(-1)
  }

  add(job: Job): void {
    this.#queue.push(job)
    if (this.#isRunning) return
    this.#isRunning = true
    // What is set in one turn goes together.
    process.nextTick(() => void this.#work())
  }

  async #work(): Promise<void> {
    const { budgetMs } = this.#link
    for (let job = this.#queue.shift(); job; job = this.#queue.shift()) {
      const leftMs = job.issuedAtMs + budgetMs - performance.now()
      if (leftMs > 0) await this.#bounded(job, leftMs)
      else job.refuse(cameTooLate(job.what, budgetMs))
    }
    this.#isRunning = false
  }

  /** Not longer than its callers wait: what comes later is not made, so what follows may go on. */
  #bounded(job: Job, leftMs: number): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(
        () => {
          job.refuse(cameTooLate(job.what, this.#link.budgetMs))
          resolve()
        },
        Math.min(leftMs, 2 ** 31 - 1),
      )
      void job
        .run()
        .catch((error: unknown) => job.refuse(error))
        .finally(() => {
          clearTimeout(late)
          resolve()
        })
    })
  }
}
