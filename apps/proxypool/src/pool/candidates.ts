import type { HealthRecord, HealthState, ResourceHealth, TidemarkEvent } from 'tidemark'

/**
 * The state of a proxy as its users see it: `degraded` is healthy by its last checks, but not by the very last one. It is
 * passed over until a check is good again.
 */
export type ProxyStatus = HealthState | 'degraded'

/** How many proxies are in each of them. */
export type StatusCounts = Readonly<Record<ProxyStatus, number>>

/** A healthy proxy that may be next. */
export interface Candidate {
  readonly key: string
  readonly responseMs: number
}

/** All proxies are looked over at most so often, where nothing went bad. */
const LOOK_MS = 250

export function statusOf(record: HealthRecord | undefined): ProxyStatus {
  if (record === undefined) return 'unknown'
  return record.state === 'healthy' && record.failures > 0 ? 'degraded' : record.state
}

/** The proxies that may be next: a list that is made anew at once when one of them goes bad, and shortly after one comes back. */
export class Candidates {
  readonly #health: ResourceHealth<string>
  readonly #now: () => number
  #list: readonly Candidate[] = []
  #until = 0

  constructor(health: ResourceHealth<string>, now: () => number) {
    this.#health = health
    this.#now = now
  }

  get list(): readonly Candidate[] {
    const now = this.#now()
    // Also under a clock that was set back.
    if (now < this.#until && this.#until <= now + LOOK_MS) return this.#list
    this.#until = now + LOOK_MS
    this.#list = this.#healthy().flatMap((key) => {
      const record = this.#health.record(key)
      return statusOf(record) === 'healthy' ? [{ key, responseMs: record?.responseMs ?? 0 }] : []
    })
    return this.#list
  }

  get counts(): StatusCounts {
    const { counts } = this.#health
    const degraded = this.#healthy().filter((key) => statusOf(this.#health.record(key)) === 'degraded')
    return { ...counts, healthy: counts.healthy - degraded.length, degraded: degraded.length }
  }

  /** The next look is at all proxies again. */
  lookAgain(): void {
    this.#until = 0
  }

  heard(event: TidemarkEvent): void {
    if (event.type === 'health' || event.type === 'deleted' || (event.type === 'checked' && !event.ok)) this.lookAgain()
  }

  /** Good by their last checks as a whole. */
  #healthy(): string[] {
    return this.#health.keys('healthy').map(String)
  }
}
