// The contract every tier keeps. `testTier` of tidemark/testing is the suite that proves it; docs/write-a-tier.md is the guide.

import type { Clock } from '../clock.ts'
import type { Compression } from '../codec/compression.ts'
import type { Entry, KeyInfo } from '../entry.ts'
import type { Key, Selector } from '../key.ts'
import type { EvictionCause, UnopenedReason } from '../observe/event.ts'

/** A value, or a promise of it: memory and SQLite answer at once, a network cannot. */
export type MaybePromise<T> = T | Promise<T>

/**
 * The change sequence of a tier at one moment; of a stack, the list of its tiers' leases.
 * Opaque: only the tier that gave it can tell whether it still holds.
 */
export type Lease = number | EraLease | readonly Lease[]

/**
 * The lease of a load that found its era over: everything but the era must be unchanged since `at`; the era, which the
 * load itself ended, since `eraAt`.
 */
export interface EraLease {
  /** The change sequence before the load. */
  readonly at: number
  /** The change sequence when the era was over. */
  readonly eraAt: number
}

/** What a tier declares about itself. */
export interface Capabilities {
  /** Entries outlive the process. */
  readonly persistent: boolean
  /** Other processes see the same entries. */
  readonly shared: boolean
  /** Reads answer at once, without a promise (large values excepted); writes give up by themselves and are not bounded from outside. */
  readonly sync: boolean
  /** Larger encoded values are skipped and counted. */
  readonly maxEntryBytes?: number
  /** Larger values are compressed when they are stored, and larger secrets before they are sealed. */
  readonly compression?: Compression
}

/** News a tier gives to its host; the host counts them and makes events of them. */
export type TierReport =
  | {
      readonly kind: 'evicted'
      readonly name: string
      readonly count: number
      readonly cause: EvictionCause
      readonly key?: Key
    }
  | {
      readonly kind: 'skipped'
      readonly key: Key
      readonly why: 'too-large' | 'invalid-value' | 'not-sealed'
      readonly message: string
    }
  | { readonly kind: 'unopened'; readonly key: Key; readonly reason: UnopenedReason; readonly error: unknown }
  | { readonly kind: 'corrupt'; readonly key: Key | undefined; readonly message: string }
  | { readonly kind: 'quarantined'; readonly reason: string }
  | { readonly kind: 'failed'; readonly operation: string; readonly error: unknown }

/** What a tier gets from the cache it serves. */
export interface TierHost {
  readonly clock: Clock
  /**
   * So long an operation is waited for, in milliseconds. A network tier sees to it that a write which comes later than
   * that is not made: its caller has gone on, and may have changed the same entry again.
   */
  readonly budgetMs?: number
  /**
   * Whoever attaches the tier only looks: nothing will be put or removed, and all that is there stays as it is. What is missing
   * is not made (a failure to open with `data.isMissing`), what is damaged is neither moved aside nor removed (`tier-corrupt`).
   */
  readonly readOnly?: boolean
  report(news: TierReport): void
}

/** Slots that other processes changed; `'all'` when changes may have been missed. */
export type ChangedSlots = readonly number[] | 'all'

/** The news of other processes that share a tier. */
export interface ChangeFeed {
  /** Looks now and tells the listener before returning; what `coherence: 'strict'` does on every read. */
  check(): MaybePromise<void>
  /** Looks from time to time until the returned function is called. */
  poll(): () => void
  /** The one listener; it is called with what others changed, never with this process's own changes. */
  listen(listener: (changed: ChangedSlots) => void): void
}

/** The right to load a key, for a while, among several processes. Saves work; correctness rests on leases. */
export interface Claims {
  /** True when this owner now has the claim (or had it already). */
  acquire(key: Key, owner: string, untilMs: number): MaybePromise<boolean>
  /** Gives the claim up; nothing happens when this owner does not have it. */
  release(key: Key, owner: string): MaybePromise<void>
}

/** A sub-view of a synchronous tier for one name: the shortest way to a fresh value. */
export interface Front {
  /** The value, if it is here and fresh. A stored value is never `undefined`. */
  fresh(id: string): unknown
  /** `sliding`: moves the end of freshness of an entry that is here. Returns its new end, or 0 when it is gone. */
  extend(id: string, idleMs: number, maxMs: number): number
}

/** One place entries live. All methods but `get` may throw a `TidemarkError`; the guard around a tier keeps that from callers. */
export interface Tier {
  /** Names it in stats, events and `tide.tiers()`. */
  readonly name: string
  readonly capabilities: Capabilities
  /** Called once before use by the cache the tier is in. A tier that throws here keeps the cache from being made. */
  attach?(host: TierHost): void
  /** The entry, never one at or past `keepUntil`. */
  get(key: Key): MaybePromise<Entry | undefined>
  /** The entries of many keys, in their order. */
  getMany?(keys: readonly Key[]): MaybePromise<(Entry | undefined)[]>
  /** The change sequence now. Take it BEFORE loading what will be stored under it. */
  lease(): MaybePromise<Lease>
  /**
   * With a lease: stores only while nothing the entry belongs to changed since, and never over an entry loaded later;
   * `false` when it may not. Without: an explicit set, always stored, advances the sequence.
   */
  put(entry: Entry, lease?: Lease): MaybePromise<boolean>
  /**
   * Removes what the selector means, or with `staleAt` marks it stale from then. Advances the sequence in the same
   * transaction. A tier that cannot mark may remove. Resolves to how many entries it touched: one that was stale already
   * is not marked again.
   */
  remove(selector: Selector, staleAt?: number): MaybePromise<number>
  /** Lists what the selector means and has not passed `keepUntil`. */
  keys(selector: Selector): AsyncIterable<KeyInfo>
  /** How many entries `keys` would list. */
  count(selector: Selector): MaybePromise<number>
  /** Physically drops up to `limit` entries past `keepUntil`; resolves to how many. */
  sweep(now: number, limit: number): MaybePromise<number>
  /** Finishes what is under way and lets go of everything it holds. */
  close(): MaybePromise<void>
  /** Forgets entries in these slots: another process changed them. Counts as a change for leases. */
  forget?(changed: ChangedSlots): void
  /**
   * A set of this entry has reached every tier below. Whatever else lies under its key came up from there before and goes.
   * Counts as a change for leases. Tiers in front only.
   */
  settled?(entry: Entry): void
  /**
   * Tells this tier's store from any other, also one of the same name on another machine; `undefined` while that cannot be
   * told. Only of tiers that not everybody shares who knows their name, such as files.
   */
  storeId?(): string | undefined
  /** Synchronous tiers in front only. */
  front?(name: string): Front
  /** Shared tiers only. */
  readonly feed?: ChangeFeed
  /** Shared tiers only. */
  readonly claims?: Claims
}

/** True for a promise of any make; tiers answer with plain values where they can, and an `await` would cost a turn. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
