import { TidemarkError } from '../../errors.ts'
import { runScript, runStatement, type PgClient, type PgRow } from '../../pg/client.ts'
import { cameTooLate, neverAnswered, pgFailure } from './failure.ts'
import type { Query } from './query.ts'

/** So many statements of ours are under way at most: the pool is the application's, and a table that is locked could use it up. */
const RUNNING_MAX = 8
/** More than this do not even wait. */
const WAITING_MAX = 10_000
/** A statement that was not answered for so long no longer counts as under way: its line is dead, and nobody said so. */
const GIVEN_UP_MS = 30_000
/** Where nobody says how long an operation may take. */
const DEFAULT_BUDGET_MS = 10_000

interface Waiting {
  readonly untilMs: number
  readonly go: () => void
  readonly refuse: () => void
}

/** The client that was handed in, with a bound on what is asked of it at once. */
export class Link {
  readonly #client: PgClient
  /** How long callers wait for an operation. */
  budgetMs: number = DEFAULT_BUDGET_MS
  #running = 0
  #waiting: Waiting[] = []

  constructor(client: PgClient) {
    this.#client = client
  }

  /** Runs one statement. Errors: {@link pgFailure}'s, and `tier-unavailable` when its turn did not come within the budget. */
  async run(query: Query, values: readonly unknown[]): Promise<readonly PgRow[]> {
    const turn = this.#turn(query.what)
    // Not awaited where there is no need: what is asked for first shall go first.
    if (turn) await turn
    return this.#bounded(runStatement(this.#client, { name: query.name, text: query.text, values }))
  }

  /** The same for what all others wait for: without an answer it fails in the end, and whoever needs it asks anew. */
  runOrGiveUp(query: Query): Promise<readonly PgRow[]> {
    return givenUp(query.what, this.run(query, []))
  }

  /** Runs several statements in one transaction; without an answer it fails in the end. */
  script(text: string): Promise<void> {
    return givenUp('a script', this.#script(text))
  }

  async #script(text: string): Promise<void> {
    const turn = this.#turn('a script')
    if (turn) await turn
    await this.#bounded(runScript(this.#client, text))
  }

  #turn(what: string): Promise<void> | undefined {
    if (this.#running < RUNNING_MAX) {
      this.#running++
      return undefined
    }
    if (this.#waiting.length >= WAITING_MAX) throw new TidemarkError('tier-busy', 'PostgreSQL: too much is waiting.')
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        untilMs: performance.now() + this.budgetMs,
        go: resolve,
        refuse: () => reject(cameTooLate(what, this.budgetMs)),
      })
    })
  }

  #bounded<T>(answer: Promise<T>): Promise<T> {
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      this.#next()
    }
    const timer = setTimeout(over, GIVEN_UP_MS)
    timer.unref()
    answer.then(over, over)
    return answer.catch((error: unknown) => {
      throw pgFailure(error)
    })
  }

  /** Whose caller has gone on is passed by. */
  #next(): void {
    const now = performance.now()
    for (let it = this.#waiting.shift(); it; it = this.#waiting.shift()) {
      if (it.untilMs > now) {
        it.go()
        return
      }
      it.refuse()
    }
    this.#running--
  }
}

function givenUp<T>(what: string, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(neverAnswered(what, GIVEN_UP_MS)), GIVEN_UP_MS)
    timer.unref()
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
