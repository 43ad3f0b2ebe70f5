// All news of a cache in one union. Events name keys and tiers, never values.

import type { Key } from '../key.ts'

/** Why an entry left a tier. */
export type EvictionCause = 'size' | 'ttl' | 'explicit' | 'era' | 'corrupt'

/** The states of a tier. See docs/outages.md. */
export type TierState = 'up' | 'suspect' | 'open' | 'recovering' | 'read-only' | 'quarantined' | 'disabled'

/**
 * The states of a checked value. `unknown`: never checked; `checking`: checked, and neither good nor bad yet; `healthy`;
 * `unhealthy`: failed too often in a row, left alone for a while; `recovering`: being tried again; `dead`: given up.
 */
export type HealthState = 'unknown' | 'checking' | 'healthy' | 'unhealthy' | 'recovering' | 'dead'

/**
 * Why a stored value with secrets was not handed out. `unknown-key`: it is sealed under a key the keyring does not have;
 * `damaged`: it does not open, it was changed or put in another place; `clear`: a declared secret is not sealed in it;
 * `undeclared`: it is sealed, and nothing here declares secrets for its name.
 */
export type UnopenedReason = 'unknown-key' | 'damaged' | 'clear' | 'undeclared'

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
  | {
      /** A view was read. */
      readonly type: 'view'
      readonly name: string
      readonly status: 'hit' | 'partial' | 'stale' | 'miss'
      readonly reason: 'hit' | 'loaded' | 'revalidating' | 'source-slow' | 'source-unavailable'
      /** The combined revision that was handed out; `unknown` when nobody could say. */
      readonly revision: string
      /** The sections that had moved. */
      readonly moved: readonly string[]
    }
  | {
      /** A source of resources with `strategy: 'source-first'` is left alone, or is back. */
      readonly type: 'source-state'
      readonly source: string
      readonly state: 'up' | 'open'
      readonly reason: string
      /** When it is probed, while it is left alone. */
      readonly nextProbeAt?: number | undefined
    }
  | {
      /** How far loading has come of what was read last, after a source came back. */
      readonly type: 'warm-up'
      readonly source: string
      readonly done: number
      readonly total: number
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
      readonly type: 'unopened'
      readonly name: string
      readonly key: string
      readonly tier: string
      readonly reason: UnopenedReason
      /** A `TidemarkError`: what it means, and what to do. */
      readonly error: unknown
    }
  | {
      readonly type: 'key-worn'
      readonly name: string
      /** As `keyring.keys` tells it. */
      readonly keyId: string
      readonly sealed: number
      readonly limit: number
    }
  | { readonly type: 'rekey'; readonly tier: string; readonly done: number; readonly total: number }
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
      readonly type: 'health'
      readonly name: string
      readonly key: string
      readonly from: HealthState
      readonly to: HealthState
      /** Of the last check, when it failed. */
      readonly error: string | undefined
    }
  | {
      /** A check of a value has ended, whether its state changed by that or not. */
      readonly type: 'checked'
      readonly name: string
      readonly key: string
      readonly ok: boolean
      /** What the value is by now. */
      readonly state: HealthState
      readonly responseMs: number
      /** Of this check, when it failed. */
      readonly error: string | undefined
    }
  | {
      readonly type: 'pool'
      readonly name: string
      /** Fewer than half of the values are healthy; false again from 60 %. */
      readonly degraded: boolean
      readonly healthy: number
      readonly total: number
    }
  | {
      readonly type: 'artifact-saved'
      readonly name: string
      readonly folder: string
      readonly filename: string
      readonly outcome: ArtifactOutcome
      /** Of the file. */
      readonly bytes: number
    }
  | {
      readonly type: 'artifact-removed'
      readonly name: string
      readonly folder: string
      readonly filename: string
      readonly cause: 'deleted' | 'quota'
    }
  | {
      /** It could not be read, saved or made anew; or, without a file name, the index could not be kept. */
      readonly type: 'artifact-failed'
      readonly name: string
      readonly folder: string | undefined
      readonly filename: string | undefined
      readonly error: unknown
    }
  | {
      /** A dead process left a change half made: it was completed, or the file was removed that it had begun. */
      readonly type: 'artifact-recovered'
      readonly name: string
      readonly folder: string
      readonly filename: string
      readonly how: 'completed' | 'undone'
    }
  | {
      readonly type: 'progress'
      readonly name: string
      readonly key: string
      readonly done: number
      readonly total: number
    }

/** What became of an artifact that was saved or made anew. */
export type ArtifactOutcome = 'written' | 'replaced' | 'unchanged' | 'regenerated'

/** Takes every event. What it throws, or rejects with, is ignored: a listener cannot break the cache. */
export type EventListener = (event: TidemarkEvent) => void
