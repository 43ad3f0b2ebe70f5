import { copyValue, deepFreeze } from './copy.ts'

/** What protects shared values from their readers; see docs/values.md. */
export type HandoutMode = 'share' | 'freeze' | 'clone'

/**
 * Values in memory are handed out by reference. `freeze` makes a mutation throw instead of poisoning the cache (parts that
 * cannot be frozen make the whole value handed out as a copy); `clone` gives everyone a copy; `share` trusts the callers.
 */
export class Handout {
  readonly mode: HandoutMode
  /** Values of which a part could not be frozen. */
  readonly #mutable = new WeakSet<object>()

  constructor(mode: HandoutMode) {
    this.mode = mode
  }

  /** The value as it is stored in memory. */
  admit<V>(value: V): V {
    if (this.mode === 'share' || typeof value !== 'object' || value === null) return value
    if (this.mode === 'clone') return copyValue(value)
    if (deepFreeze(value)) return value
    // Whoever gave it keeps a part that can still be changed: the cache's own copy cannot be reached from outside.
    const own = copyValue(value)
    deepFreeze(own)
    this.#mutable.add(own)
    return own
  }

  /** The value as a caller gets it. */
  out<V>(value: V): V {
    if (this.mode === 'share' || typeof value !== 'object' || value === null) return value
    return this.mode === 'clone' || this.#mutable.has(value) ? copyValue(value) : value
  }
}
