import type { Clock } from '../clock.ts'
import type { Key } from '../key.ts'
import type { TierState } from '../observe/event.ts'
import type { Hub } from '../observe/hub.ts'
import type { GuardHost } from '../stack/watch.ts'
import type { Tier, TierReport } from '../tier/tier.ts'

/** Makes events and counts of what one tier reports. */
export class Reporter implements GuardHost {
  readonly clock: Clock
  readonly #hub: Hub
  readonly #tier: Tier
  readonly #isLast: boolean

  constructor(clock: Clock, hub: Hub, tier: Tier, isLast: boolean) {
    this.clock = clock
    this.#hub = hub
    this.#tier = tier
    this.#isLast = isLast
  }

  report(news: TierReport): void {
    const tier = this.#tier.name
    switch (news.kind) {
      case 'evicted': {
        const { name, count, cause, key } = news
        // An entry that timed out is dropped by every tier that had it; it is counted where it leaves the cache.
        if (cause !== 'ttl' || this.#isLast) this.#hub.of(name).evictions[cause] += count
        this.#hub.emit({ type: 'evicted', name, tier, count, cause, key: key?.id })
        return
      }
      case 'skipped':
        this.skipped(news.key, news.message)
        return
      case 'corrupt':
        if (news.key) {
          const counters = this.#hub.of(news.key.name)
          counters.corrupt++
          counters.evictions.corrupt++
        }
        this.#hub.emit({ type: 'corrupt', tier, key: news.key, message: news.message })
        return
      case 'unopened': {
        const { key, reason, error } = news
        this.#hub.of(key.name).unopened++
        this.#hub.emit({ type: 'unopened', name: key.name, key: key.id, tier, reason, error })
        return
      }
      case 'quarantined':
        this.stateChanged(tier, 'quarantined', news.reason, undefined)
        return
      case 'failed':
        this.#hub.emit({ type: 'tier-failed', tier, operation: news.operation, error: news.error })
    }
  }

  skipped(key: Key, message: string): void {
    this.#hub.of(key.name).skipped++
    this.#hub.emit({ type: 'skipped', name: key.name, key: key.id, tier: this.#tier.name, message })
  }

  stateChanged(tier: string, state: TierState, reason: string, nextProbeAt: number | undefined): void {
    this.#hub.emit({ type: 'tier-state', tier, state, reason, nextProbeAt })
  }
}
