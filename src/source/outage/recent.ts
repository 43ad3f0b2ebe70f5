/** Something that was read and can be loaded again. */
export interface Recent {
  /** Unlike that of any other key of any resource. */
  readonly id: string
  /** Loads it anew, unless that was done since a moment. */
  reload(since: number): Promise<unknown>
}

/** What was read last, each once, up to a number. */
export class RecentKeys {
  readonly #max: number
  readonly #keys = new Map<string, Recent>()

  constructor(max: number) {
    this.#max = max
  }

  touch(recent: Recent): void {
    // Taken out and put back: the map's order is that of the reads.
    this.#keys.delete(recent.id)
    this.#keys.set(recent.id, recent)
    if (this.#keys.size > this.#max) this.#keys.delete(this.#keys.keys().next().value as string)
  }

  /** Newest first. */
  list(): Recent[] {
    return [...this.#keys.values()].toReversed()
  }

  get newest(): Recent | undefined {
    return [...this.#keys.values()].at(-1)
  }
}
