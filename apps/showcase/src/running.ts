/** What is running, to be stopped in the opposite order. */
export class Running {
  readonly #ends: (() => unknown)[] = []

  /** Takes what has a `close` or a `stop`, and gives it back. */
  add<T extends { close(): unknown } | { stop(): unknown }>(it: T): T {
    this.#ends.push(() => ('close' in it ? it.close() : it.stop()))
    return it
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0).toReversed()) await end()
  }
}
