import { ttl, type Clock, type Resource, type Tidemark } from 'tidemark'

/** How often a proxy was handed out, and when last. */
export interface Use {
  readonly count: number
  /** Milliseconds since 1970. */
  readonly lastAt: number
}

/** Uses are written together, so often: a crash may lose the last ones, and no proxy. */
const FLUSH_MS = 5_000
const KEPT = '90d'
const NEVER: Use = { count: 0, lastAt: 0 }

/** Counts the uses of proxies: in memory at once, in the tiers every few seconds. */
export class Uses {
  readonly #stored: Resource<string, Use>
  readonly #clock: Clock
  #pending = new Map<string, Use>()
  #cancel: (() => void) | undefined

  constructor(tide: Tidemark, clock: Clock) {
    this.#stored = tide.resource<string, Use>({ name: 'uses', load: () => NEVER, freshness: ttl(KEPT) })
    this.#clock = clock
  }

  add(key: string): void {
    const { count } = this.#pending.get(key) ?? NEVER
    this.#pending.set(key, { count: count + 1, lastAt: this.#clock.now() })
    this.#cancel ??= this.#clock.schedule(FLUSH_MS, () => void this.flush().catch(() => {}))
  }

  /** `undefined` for one that was never handed out. */
  async of(key: string): Promise<Use | undefined> {
    return sum(await this.#stored.stored(key), this.#pending.get(key))
  }

  /** Goes on from what was counted elsewhere; counted again, it is the same. */
  async restore(key: string, use: Use): Promise<void> {
    const known = (await this.#stored.stored(key)) ?? NEVER
    await this.#stored.set(key, {
      count: Math.max(known.count, use.count),
      lastAt: Math.max(known.lastAt, use.lastAt),
    })
  }

  async forget(key: string): Promise<void> {
    this.#pending.delete(key)
    await this.#stored.delete(key)
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    const pending = this.#pending
    this.#pending = new Map()
    await Promise.all(
      Array.from(pending, async ([key, use]) => {
        const total = sum(await this.#stored.stored(key), use)
        if (total) await this.#stored.set(key, total)
      }),
    )
  }
}

function sum(before: Use | undefined, more: Use | undefined): Use | undefined {
  return before && more ? { count: before.count + more.count, lastAt: more.lastAt } : (more ?? before)
}
