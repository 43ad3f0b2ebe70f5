import type { EventListener, TidemarkEvent } from './event.ts'
import { NameCounters } from './counters.ts'

const EARLY_EVENTS_MAX = 100

/** Where events and counts of one cache come together. */
export class Hub {
  readonly #listeners = new Set<EventListener>()
  readonly #counters = new Map<string, NameCounters>()
  /** What tiers said before anybody could listen: files are opened while the cache is being made. */
  #early: TidemarkEvent[] | undefined = []

  /** True when somebody listens; the hot path makes no event object otherwise. */
  get isHeard(): boolean {
    return this.#listeners.size > 0
  }

  on(listener: EventListener): () => void {
    this.#listeners.add(listener)
    const early = this.#early
    this.#early = undefined
    for (const event of early ?? []) this.emit(event)
    return () => this.#listeners.delete(listener)
  }

  emit(event: TidemarkEvent): void {
    if (this.#early && this.#early.length < EARLY_EVENTS_MAX && 'tier' in event) this.#early.push(event)
    for (const listener of this.#listeners) {
      try {
        const done: unknown = listener(event)
        // An async listener fails later: that must not end the process either.
        if (done instanceof Promise) done.catch(() => {})
      } catch {
        // A listener's failure is its own; the cache goes on.
      }
    }
  }

  /** The counters of a name, made on first use. Names are few and fixed; keys never come here. */
  of(name: string): NameCounters {
    let counters = this.#counters.get(name)
    if (!counters) this.#counters.set(name, (counters = new NameCounters()))
    return counters
  }

  names(): Iterable<string> {
    return this.#counters.keys()
  }
}
