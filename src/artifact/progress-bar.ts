/** Where a bar is drawn: a stream such as `process.stderr`. */
export interface Terminal {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  write(text: string): unknown
}

const CELLS = 30
/** Faster than anyone reads would only cost time. */
const EVERY_MS = 50

/** A line that says how far something has come, drawn over itself; nothing where nobody looks. */
export class ProgressBar {
  readonly #terminal: Terminal | undefined
  readonly #what: string
  readonly #isWide: boolean
  #drawnAt = Number.NEGATIVE_INFINITY

  constructor(terminal: Terminal | undefined, what: string) {
    this.#terminal = terminal?.isTTY === true ? terminal : undefined
    this.#what = what
    this.#isWide = (this.#terminal?.columns ?? 80) >= CELLS + what.length + 30
  }

  show(done: number, total: number): void {
    const now = performance.now()
    if (!this.#terminal || (done < total && now - this.#drawnAt < EVERY_MS)) return
    this.#drawnAt = now
    const filled = Math.round((CELLS * done) / total)
    const bar = this.#isWide ? ` ${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)}` : ''
    const percent = Math.floor((100 * done) / total)
    this.#terminal.write(`\r\x1b[2K${this.#what}${bar} ${done}/${total} ${percent} %`)
  }

  /** Leaves the last state standing. */
  end(): void {
    if (this.#drawnAt > 0) this.#terminal?.write('\n')
  }
}
