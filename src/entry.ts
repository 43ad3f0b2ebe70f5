// A stored value with its metadata. Times are absolute, whole milliseconds since 1970.

import type { Key, Selector } from './key.ts'
import type { Membership } from './slot.ts'

/** The latest instant there is (the largest `Date`): an entry that is fresh until then is fresh for ever. */
export const FOREVER = 8_640_000_000_000_000

/** The longest window after `freshUntil`. `FOREVER` plus this is still a safe integer, so windows survive shifting. */
export const WINDOW_MS_MAX = 360_000_000_000_000

/**
 * A stamp taken from a value that says which physical thing it is, part by part.
 * A part that is missing (`undefined` or `null`) is unknown and conflicts with nothing.
 */
export type Identity = readonly (string | number | null | undefined)[]

/** The four lifetimes of an entry: fresh, then stale while it is revalidated, then only when the source fails, then gone. */
export interface Lifetimes {
  readonly freshUntil: number
  /** Until then a stale value may be handed out while a load runs behind it. */
  readonly staleUntil: number
  /** Until then a stale value may be handed out when the source fails. */
  readonly errorUntil: number
  /** Then the entry is physically dropped; no tier returns it any more. */
  readonly keepUntil: number
}

/** One entry as every tier takes and returns it. Immutable: a change is a new entry. */
export interface Entry extends Lifetimes, Membership {
  readonly key: Key
  readonly value: unknown
  /** When the load or the set that made the value finished. */
  readonly loadedAt: number
  /** When it was invalidated, if it was: it became stale then. */
  readonly staleAt?: number | undefined
  readonly identity?: Identity | undefined
  readonly revision?: string | undefined
  /** Size of the encoded value in bytes, where a tier measured it. */
  readonly bytes?: number | undefined
}

/** What a tier tells about an entry without its value. */
export interface KeyInfo extends Lifetimes, Membership {
  readonly key: Key
  readonly loadedAt: number
  readonly staleAt?: number | undefined
  readonly bytes?: number | undefined
}

/**
 * The entry as it is after an invalidation at `at`: it became stale then, and all windows start there
 * (contract C5, `swr-window-anchors`). One that was stale already keeps the windows it had.
 */
export function staleFrom(entry: Entry, at: number): Entry {
  if (entry.freshUntil <= at) return entry
  const shiftMs = entry.freshUntil - at
  return {
    ...entry,
    freshUntil: at,
    staleUntil: entry.staleUntil - shiftMs,
    errorUntil: entry.errorUntil - shiftMs,
    keepUntil: entry.keepUntil - shiftMs,
    staleAt: at,
  }
}

/** True when both stamps know a part and it differs. Partial stamps never conflict by what they lack. */
export function identityConflicts(a: Identity | undefined, b: Identity | undefined): boolean {
  if (a === undefined || b === undefined) return false
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [left, right] = [a[i], b[i]]
    if (left !== undefined && left !== null && right !== undefined && right !== null && left !== right) return true
  }
  return false
}

/** The newer stamp, with what it lacks filled in from the older: an upsert never unlearns a part. */
export function mergeIdentity(older: Identity | undefined, newer: Identity | undefined): Identity | undefined {
  if (older === undefined || newer === undefined) return newer ?? older
  return Array.from({ length: Math.max(older.length, newer.length) }, (_, i) => newer[i] ?? older[i])
}

/** True when the selector means this entry. */
export function selects(selector: Selector, entry: Pick<Entry, 'key' | 'scope' | 'era' | 'tags'>): boolean {
  switch (selector.kind) {
    case 'key':
      return selector.key.name === entry.key.name && selector.key.id === entry.key.id
    case 'scope':
      return entry.scope === selector.scope && (selector.name === undefined || selector.name === entry.key.name)
    case 'era':
      return entry.scope === selector.scope && entry.era === selector.era
    case 'tag':
      return entry.tags?.includes(selector.tag) === true
    case 'name':
      return entry.key.name === selector.name
    case 'all':
      return true
  }
}
