/** What became of an import. */
export interface ImportReport {
  readonly loaded: number
  /** Blank lines, comments, proxies past their time, and those that were there already in the same file. */
  readonly skipped: number
  readonly failed: number
  /** The first failures, by line. */
  readonly failures: readonly { readonly line: number; readonly reason: string }[]
}

const FAILURES_MAX = 1000

/** Counts as an import goes on; keeps only the first failures, however many there are. */
export class ReportWriter {
  loaded = 0
  skipped = 0
  failed = 0
  readonly #failures: { line: number; reason: string }[] = []

  fail(line: number, error: unknown): void {
    this.failed++
    if (this.#failures.length < FAILURES_MAX)
      this.#failures.push({ line, reason: error instanceof Error ? error.message : String(error) })
  }

  get report(): ImportReport {
    return { loaded: this.loaded, skipped: this.skipped, failed: this.failed, failures: [...this.#failures] }
  }
}
