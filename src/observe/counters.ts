// Plain numbers, incremented where things happen. Labels are names, tiers and causes, never keys (contract C6).

import type { EvictionCause } from './event.ts'

/** What is counted under one name. `requests` is `hits + misses`. */
export interface NameStats {
  readonly requests: number
  /** Answered by a tier, fresh or stale, without waiting for a load. One for each request, whichever tier it was. */
  readonly hits: number
  readonly hitsByTier: Readonly<Record<string, number>>
  /** Of the hits, those that were stale. */
  readonly staleHits: number
  /** Waited for a load, its own or a shared one. One for each request, however many tiers were asked. */
  readonly misses: number
  /** Of the misses, those answered with the last known value because the source failed or was slow. */
  readonly fallbacks: number
  /** Of the misses of a view, those for which only what had moved was built. */
  readonly partials: number
  readonly loads: number
  readonly loadFailures: number
  readonly sets: number
  readonly deletes: number
  readonly invalidations: number
  /** Loaded values that were not stored because something changed during the load. */
  readonly refused: number
  /** Values a tier did not take: too large, or not storable. */
  readonly skipped: number
  /** Stored values that failed their checksum. */
  readonly corrupt: number
  /** Stored values whose secrets did not open: sealed under a key that is not there, changed, or moved. */
  readonly unopened: number
  /** `size`: in any tier; the others: once an entry, however many tiers held it. */
  readonly evictions: Readonly<Record<EvictionCause, number>>
}

/** The live numbers behind {@link NameStats}. */
export class NameCounters {
  readonly hitsByTier: Map<string, number> = new Map<string, number>()
  /** Hits of the first tier: a field of its own, because the hot path counts here. */
  frontHits = 0
  staleHits = 0
  misses = 0
  fallbacks = 0
  partials = 0
  loads = 0
  loadFailures = 0
  sets = 0
  deletes = 0
  invalidations = 0
  refused = 0
  skipped = 0
  corrupt = 0
  unopened = 0
  readonly evictions: Record<EvictionCause, number> = { size: 0, ttl: 0, explicit: 0, era: 0, corrupt: 0 }

  hit(tier: string, stale: boolean): void {
    this.hitsByTier.set(tier, (this.hitsByTier.get(tier) ?? 0) + 1)
    if (stale) this.staleHits++
  }

  snapshot(frontTier: string): NameStats {
    const hitsByTier = Object.fromEntries(this.hitsByTier)
    if (this.frontHits > 0) hitsByTier[frontTier] = (hitsByTier[frontTier] ?? 0) + this.frontHits
    const hits = Object.values(hitsByTier).reduce((sum, n) => sum + n, 0)
    const {
      staleHits,
      misses,
      fallbacks,
      partials,
      loads,
      loadFailures,
      sets,
      deletes,
      invalidations,
      refused,
      skipped,
      corrupt,
      unopened,
    } = this
    return {
      requests: hits + misses,
      hits,
      hitsByTier,
      staleHits,
      misses,
      fallbacks,
      partials,
      loads,
      loadFailures,
      sets,
      deletes,
      invalidations,
      refused,
      skipped,
      corrupt,
      unopened,
      evictions: { ...this.evictions },
    }
  }
}
