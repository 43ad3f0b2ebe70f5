/** One piece of work after the other for each id; those of different ids do not wait for each other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Resolves or rejects as the work does. */
  take<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id)
    const mine = before ? before.then(work, work) : work()
    this.#last.set(id, mine)
    const over = (): void => {
      if (this.#last.get(id) === mine) this.#last.delete(id)
    }
    void mine.then(over, over)
    return mine
  }
}
