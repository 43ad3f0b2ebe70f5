import type { Lifetimes } from '../../entry.ts'

/** How long the windows after `freshUntil` are. */
interface Window {
  readonly staleMs: number
  readonly errorMs: number
  readonly keepMs: number
}

/**
 * The windows of all rows, each different one once: a resource's entries share theirs, so a row holds a number in place of
 * three times. One that no row has any more is forgotten.
 */
export class Windows {
  readonly #windows: Window[] = []
  readonly #rows: number[] = []
  readonly #numbers = new Map<string, number>()
  readonly #free: number[] = []
  /** Most rows have the windows of the one before. */
  #last = 0

  /** The number of an entry's windows, for one more row. */
  take(entry: Lifetimes): number {
    const staleMs = entry.staleUntil - entry.freshUntil
    const errorMs = entry.errorUntil - entry.freshUntil
    const keepMs = entry.keepUntil - entry.freshUntil
    const last = this.#windows[this.#last]
    const isLast = last !== undefined && last.staleMs === staleMs && last.errorMs === errorMs && last.keepMs === keepMs
    const number = isLast ? this.#last : this.#numberOf({ staleMs, errorMs, keepMs })
    this.#rows[number] = (this.#rows[number] ?? 0) + 1
    this.#last = number
    return number
  }

  /** One row fewer has them. */
  release(number: number): void {
    const rows = (this.#rows[number] as number) - 1
    this.#rows[number] = rows
    if (rows > 0) return
    this.#numbers.delete(nameOf(this.of(number)))
    this.#windows[number] = NONE
    this.#free.push(number)
  }

  of(number: number): Window {
    return this.#windows[number] as Window
  }

  #numberOf(window: Window): number {
    const name = nameOf(window)
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#free.pop() ?? this.#windows.length
    this.#windows[number] = window
    this.#rows[number] = 0
    this.#numbers.set(name, number)
    return number
  }
}

/** In a free place: no entry has these. */
const NONE: Window = { staleMs: Number.NaN, errorMs: Number.NaN, keepMs: Number.NaN }

function nameOf({ staleMs, errorMs, keepMs }: Window): string {
  return `${staleMs} ${errorMs} ${keepMs}`
}
