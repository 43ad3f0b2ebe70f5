const CELLS = 30
const EVERY_MS = 100

/** Where it is drawn: a stream such as `process.stderr`. */
interface Terminal {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

/** How far a file has been read, drawn over itself; nothing where nobody looks. */
export class ProgressLine {
  readonly #terminal: Terminal | undefined
  readonly #total: number
  #done = 0
  #drawnAt = Number.NEGATIVE_INFINITY

  constructor(terminal: Terminal, totalBytes: number) {
    this.#terminal = terminal.isTTY === true ? terminal : undefined
    this.#total = Math.max(1, totalBytes)
  }

  add(bytes: number): void {
    this.#done += bytes
    const now = performance.now()
    if (!this.#terminal || (this.#done < this.#total && now - this.#drawnAt < EVERY_MS)) return
    this.#drawnAt = now
    const share = Math.min(1, this.#done / this.#total)
    const filled = Math.round(CELLS * share)
    this.#terminal.write(
      `\r\x1b[2Kimport ${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)} ${Math.floor(100 * share)} %`,
    )
  }

  /** Leaves the last state standing. */
  end(): void {
    if (this.#drawnAt > 0) this.#terminal?.write('\n')
  }
}
