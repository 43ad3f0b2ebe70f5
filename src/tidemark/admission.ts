import type { Handout } from '../codec/handout.ts'
import type { Entry } from '../entry.ts'
import { isTidemarkError } from '../errors.ts'
import type { Key } from '../key.ts'
import type { StackHost } from '../stack/stack.ts'
import type { Reporter } from './reporter.ts'

/** What comes up from the tiers of one cache and goes down into them, and is no use there. */
export class Admission implements StackHost {
  readonly #handout: Handout
  readonly #reporters: readonly Reporter[]
  readonly #names: readonly string[]

  /** `reporters` and `names` are of the same tiers, in their order. */
  constructor(handout: Handout, reporters: readonly Reporter[], names: readonly string[]) {
    this.#handout = handout
    this.#reporters = reporters
    this.#names = names
  }

  admit(entry: Entry, tier: string): Entry | undefined {
    if (this.#handout.mode === 'share') return entry
    try {
      return { ...entry, value: this.#handout.admit(entry.value) }
    } catch (error) {
      // Others may store, under other options, what cannot be copied here: that is a miss, never the reader's trouble.
      if (!isTidemarkError(error, 'invalid-value')) throw error
      this.#of(tier)?.report({ kind: 'corrupt', key: entry.key, message: error.message })
      return undefined
    }
  }

  unstorable(key: Key, tier: string, message: string): void {
    this.#of(tier)?.skipped(key, message)
  }

  #of(tier: string): Reporter | undefined {
    return this.#reporters[this.#names.indexOf(tier)]
  }
}
