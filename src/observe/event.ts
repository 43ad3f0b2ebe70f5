// All news of a cache in one union. Events name keys and tiers, never values.

import type { Key } from '../key.ts'

/** Why an entry left a tier. */
export type EvictionCause = 'size' | 'ttl' | 'explicit' | 'era' | 'corrupt'

/** The states of a tier. See docs/outages.md. */
export type TierState = 'up' | 'suspect' | 'open' | 'recovering' | 'read-only' | 'quarantined' | 'disabled'

/** What was removed: one key, or a group of entries. */
export interface RemovedWhat {
  readonly name?: string | undefined
  readonly key?: string | undefined
  readonly scope?: string | undefined
  readonly tag?: string | undefined
}

/** Everything `tide.on('event', …)` tells. */
export type TidemarkEvent =
  | {
      readonly type: 'hit'
      readonly name: string
      readonly key: string
      readonly tier: string
      readonly state: 'fresh' | 'stale'
    }
  | { readonly type: 'miss'; readonly name: string; readonly key: string }
  | {
      readonly type: 'loaded'
      readonly name: string
      readonly key: string
      readonly tookMs: number
      readonly stored: boolean
    }
  | {
      readonly type: 'load-failed'
      readonly name: string
      readonly key: string
      readonly tookMs: number
      readonly error: unknown
      /** No load is tried behind stale reads before then. */
      readonly retryAt: number
    }
  | { readonly type: 'set'; readonly name: string; readonly key: string }
  | ({ readonly type: 'deleted' | 'invalidated'; readonly count: number } & RemovedWhat)
  | {
      readonly type: 'era'
      readonly era: string
      readonly scope: string
      readonly reason: string
      readonly dropped: Readonly<Record<string, number>>
    }
  | {
      readonly type: 'evicted'
      readonly name: string
      readonly tier: string
      readonly count: number
      readonly cause: EvictionCause
      readonly key?: string | undefined
    }
  | {
      readonly type: 'skipped'
      readonly name: string
      readonly key: string
      readonly tier: string
      readonly message: string
    }
  | { readonly type: 'corrupt'; readonly tier: string; readonly key?: Key | undefined; readonly message: string }
  | {
      readonly type: 'tier-state'
      readonly tier: string
      readonly state: TierState
      readonly reason: string
      /** When the tier is tried again, if it is out of use. */
      readonly nextProbeAt?: number | undefined
    }
  | { readonly type: 'tier-failed'; readonly tier: string; readonly operation: string; readonly error: unknown }
  | {
      readonly type: 'progress'
      readonly name: string
      readonly key: string
      readonly done: number
      readonly total: number
    }

/** Takes every event. What it throws is ignored: a listener cannot break the cache. */
export type EventListener = (event: TidemarkEvent) => void
