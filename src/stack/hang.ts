import type { Key } from '../key.ts'

/**
 * What is known right after an operation took too long: the reader it kept waiting goes on with others of the same tier, a
 * claim, a second look, a lease, and would wait its budget for each of them (contract C3, `hung-tier-bounded`). For one
 * budget they are answered as if they had failed. Other readers ask the tier all the same.
 */
export class Hang {
  readonly #budgetMs: number
  /** By `performance.now()`; 0 when nothing took too long. */
  #untilMs = 0
  readonly #keys = new Set<string>()
  #isOfAll = false

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs
  }

  get isOn(): boolean {
    return this.#untilMs !== 0 && performance.now() < this.#untilMs
  }

  /** Whether a read of this key was given up just now. */
  isOnFor(key: Key): boolean {
    return this.isOn && (this.#isOfAll || this.#keys.has(idOf(key)))
  }

  /** Without a key every read that follows is one of those that have waited: a strict reader asks for news first. */
  begin(key: Key | undefined): void {
    if (!this.isOn) this.end()
    this.#untilMs = performance.now() + this.#budgetMs
    if (key) this.#keys.add(idOf(key))
    else this.#isOfAll = true
  }

  end(): void {
    this.#untilMs = 0
    this.#keys.clear()
    this.#isOfAll = false
  }
}

function idOf({ name, id }: Key): string {
  return `${name}\0${id}`
}
