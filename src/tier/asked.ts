import type { Entry } from '../entry.ts'
import type { Key } from '../key.ts'
import type { MaybePromise } from './tier.ts'

/** A read of one entry that waits for its answer. */
export interface Ask {
  readonly key: Key
  readonly resolve: (entry: MaybePromise<Entry | undefined>) => void
  readonly reject: (error: unknown) => void
}

/** Reads of one turn of the event loop, gathered, so that a store over a network is asked once for all of a group. */
export class Asked {
  readonly #groupOf: (key: Key) => string
  readonly #answer: (group: string, asks: readonly Ask[]) => Promise<void>
  #groups = new Map<string, Ask[]>()

  constructor(groupOf: (key: Key) => string, answer: (group: string, asks: readonly Ask[]) => Promise<void>) {
    this.#groupOf = groupOf
    this.#answer = answer
  }

  get(key: Key): Promise<Entry | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#groups.size === 0) process.nextTick(() => this.#flush())
      const group = this.#groupOf(key)
      const others = this.#groups.get(group)
      if (others) others.push({ key, resolve, reject })
      else this.#groups.set(group, [{ key, resolve, reject }])
    })
  }

  #flush(): void {
    const groups = this.#groups
    this.#groups = new Map()
    for (const [group, asks] of groups) {
      this.#answer(group, asks).catch((error: unknown) => {
        for (const ask of asks) ask.reject(error)
      })
    }
  }
}
