import type { TidemarkEvent } from 'tidemark'

/** What became of a proxy, or of the pool as a whole, worth waking somebody for. */
export type PoolNews =
  | {
      /** It failed too often in a row; it came back; it was given up. */
      readonly type: 'proxy.down' | 'proxy.recovered' | 'proxy.dead'
      /** Milliseconds since 1970. */
      readonly at: number
      readonly key: string
      /** Of the last check, when it failed. */
      readonly error: string | undefined
    }
  | {
      /** Fewer than half of the checked proxies are healthy; over again from 60 %. */
      readonly type: 'pool.degraded' | 'pool.recovered'
      readonly at: number
      readonly healthy: number
      readonly total: number
    }

/** The news in an event of the cache, if it is any. */
export function newsOf(event: TidemarkEvent, at: number): PoolNews | undefined {
  if (event.type === 'pool') {
    const { degraded, healthy, total } = event
    return { type: degraded ? 'pool.degraded' : 'pool.recovered', at, healthy, total }
  }
  if (event.type !== 'health') return undefined
  const { key, from, to, error } = event
  if (to === 'dead') return { type: 'proxy.dead', at, key, error }
  // A failed attempt to bring it back is no news: it has been down all the time.
  if (to === 'unhealthy' && from !== 'recovering') return { type: 'proxy.down', at, key, error }
  return to === 'healthy' && from === 'recovering' ? { type: 'proxy.recovered', at, key, error: undefined } : undefined
}

const KEPT_MAX = 200

/** The last news, and who hears of them. */
export class NewsDesk {
  readonly #listeners = new Set<(news: PoolNews) => void>()
  readonly #kept: PoolNews[] = []

  /** The last 200, oldest first. */
  get recent(): readonly PoolNews[] {
    return [...this.#kept]
  }

  /** Returns how to stop hearing them. */
  on(listener: (news: PoolNews) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  tell(news: PoolNews): void {
    this.#kept.push(news)
    if (this.#kept.length > KEPT_MAX) this.#kept.shift()
    for (const listener of this.#listeners) listener(news)
  }
}
