import { TidemarkError } from '../../errors.ts'
import { channelOf } from './layout.ts'
import { cameTooLate, lostAgain } from './failure.ts'
import type { CommandPart } from './client.ts'
import type { Life } from './life.ts'
import type { Link, Reply } from './link.ts'
import type { Lives } from './lives.ts'
import { STATUS, type Script } from './script.ts'

/** How often a write is tried again when its name's life was lost, or Redis's clock stepped. */
const ATTEMPTS = 3
/** Where nobody says how long an operation may take. */
export const DEFAULT_BUDGET_MS = 10_000

/** How a write is made. */
export interface WriteOptions {
  /** `false`: not in the life that follows the one that was lost. Defaults to `true`. */
  readonly again?: boolean
  /** When its caller began to wait, by `performance.now()`. Defaults to now. */
  readonly issuedAtMs?: number
}

/** What became of a write. */
export interface Written {
  readonly life: Life
  /** The life's epoch when it was sent. */
  readonly epoch: string
  readonly status: number
  readonly answer: readonly Reply[]
}

/**
 * Runs the scripts that write. Each carries a deadline by Redis's own clock: a client may keep a command for as long as
 * its connection is down, and a frozen server answers what it was sent before; by then the caller has given up, and what
 * was set since must not be overwritten. So what comes late is not made at all.
 */
export class Writer {
  /** How long callers wait for an operation. */
  budgetMs: number = DEFAULT_BUDGET_MS
  readonly #link: Link
  readonly #lives: Lives
  readonly #origin: string
  readonly #channel: string

  constructor(prefix: string, origin: string, link: Link, lives: Lives) {
    this.#link = link
    this.#lives = lives
    this.#origin = origin
    this.#channel = channelOf(prefix)
  }

  /**
   * Runs a script on one name; resolves to what it answers after its status. `rest` are its arguments after the first four,
   * made anew for each attempt. Errors: `tier-full`, `tier-unavailable` and what Redis says.
   */
  async write(
    name: string,
    script: Script,
    rest: (life: Life) => readonly CommandPart[],
    { again = true, issuedAtMs = performance.now() }: WriteOptions = {},
  ): Promise<Written> {
    for (let attempt = 1; ; attempt++) {
      // Not through a function of its own: each await more could let a later write go first.
      const life = await this.#lives.ready(name)
      const sentAtMs = performance.now()
      if (sentAtMs >= issuedAtMs + this.budgetMs) throw cameTooLate(script.name, this.budgetMs)
      const { epoch } = life
      const fixed = [this.#deadline(life, issuedAtMs), this.#origin, this.#channel, life.label]
      const [status, ...answer] = await script.run(this.#link, life.metaKey, [...fixed, ...rest(life)])
      switch (status) {
        case STATUS.gone:
          if (!again) return { life, epoch, status, answer }
          this.#lives.lost(life, epoch)
          if (attempt === ATTEMPTS) throw lostAgain(`the name ${name}`)
          break
        case STATUS.late:
          life.sawClock(answer[0] as number, sentAtMs)
          // In time by our own clock: Redis's has stepped since we saw it.
          if (attempt === ATTEMPTS) throw cameTooLate(script.name, this.budgetMs)
          break
        case STATUS.full:
          life.answered(answer[0] as number)
          throw new TidemarkError('tier-full', 'Redis: out of memory.', {
            hint: 'Redis is at its maxmemory: raise it, or let it evict entries (maxmemory-policy volatile-lfu); writes resume by themselves.',
          })
        default:
          life.answered(answer[0] as number)
          return { life, epoch, status: status as number, answer }
      }
    }
  }

  #deadline(life: Life, issuedAtMs: number): string {
    const deadlineMs = Math.ceil(issuedAtMs + this.budgetMs + life.clockOffsetMs)
    return String(Math.min(deadlineMs, Number.MAX_SAFE_INTEGER))
  }
}
