import type { WriteHook } from '../tidemark/write-hook.ts'

/** What hears of committed writes: made by `tide.writeHook`. */
export type WriteListener = Pick<WriteHook, 'committed'>

/** The tables one transaction has written so far; what is rolled back is forgotten. */
export class UnitOfWork {
  #written: string[] = []
  readonly #savepoints: { readonly name: string; readonly length: number }[] = []

  wrote(tables: readonly string[]): void {
    this.#written.push(...tables)
  }

  savepoint(name: string): void {
    this.#savepoints.push({ name, length: this.#written.length })
  }

  /** What was written since is undone; the savepoint itself stays. */
  rollbackTo(name: string): void {
    const at = this.#savepoints.findLastIndex((it) => it.name === name)
    if (at === -1) return
    this.#written.length = this.#savepoints[at]?.length ?? 0
    this.#savepoints.length = at + 1
  }

  release(name: string): void {
    const at = this.#savepoints.findLastIndex((it) => it.name === name)
    if (at !== -1) this.#savepoints.length = at
  }

  /** Each table once. */
  get tables(): string[] {
    return [...new Set(this.#written)]
  }
}
