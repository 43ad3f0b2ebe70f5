// A policy says how long a value of one kind stays fresh. It is pure: it sees values and times, never tiers.

import { durationMs, type Duration } from '../duration.ts'
import { FOREVER, WINDOW_MS_MAX, type Identity, type Lifetimes } from '../entry.ts'
import { invalidOption } from '../errors.ts'
import type { Revision } from '../revision.ts'

/**
 * How one kind of data goes stale. Made by {@link ttl}, {@link sliding}, {@link untilInvalidated}, {@link immutable},
 * {@link revisioned}.
 */
export interface Policy<V = unknown> {
  readonly kind: 'ttl' | 'sliding' | 'until-invalidated' | 'immutable' | 'revisioned'
  /** How long this value is fresh, in ms from the end of its load. */
  freshMs(value: V): number
  /** `sliding` only: a read moves `freshUntil` to this long after it, at most `maxMs` after the load. */
  readonly slide?: { readonly idleMs: number; readonly maxMs: number }
  /** `immutable` only: the stamp that says which physical thing a value is. */
  identity?(value: V): Identity
  /** `revisioned` only: fresh while this is what it was before the load. Asked by whoever reads; a policy asks nobody. */
  readonly revision?: Revision
}

/** The windows after freshness, as a user gives them. */
export interface WindowOptions {
  /** How long after it became stale a value may still be handed out while a load runs behind it. Defaults to 0. */
  readonly staleWhileRevalidate?: Duration | undefined
  /** How long after it became stale a value may still be handed out when the source fails. Defaults to 0. */
  readonly staleIfError?: Duration | undefined
  /** How long after it became stale a value stays stored (for `stale` in the loader). Defaults to the longer of the two above. */
  readonly keep?: Duration | undefined
}

/** The windows in milliseconds. */
export interface Windows {
  readonly staleMs: number
  readonly errorMs: number
  readonly keepMs: number
}

/** Parses and completes the windows. Errors: `invalid-duration`. */
export function resolveWindows(options: WindowOptions): Windows {
  const staleMs = windowMs(options.staleWhileRevalidate, 'staleWhileRevalidate')
  const errorMs = windowMs(options.staleIfError, 'staleIfError')
  const keepMs = Math.max(staleMs, errorMs, windowMs(options.keep, 'keep'))
  return { staleMs, errorMs, keepMs }
}

/** The four absolute times of a value loaded at `loadedAt` that is fresh for `freshMs`. */
export function lifetimes(loadedAt: number, freshMs: number, windows: Windows): Lifetimes {
  const freshUntil = Math.min(loadedAt + freshMs, FOREVER)
  return {
    freshUntil,
    staleUntil: freshUntil + windows.staleMs,
    errorUntil: freshUntil + windows.errorMs,
    keepUntil: freshUntil + windows.keepMs,
  }
}

/** Refuses what is not a policy, with the names of those there are. */
export function checkPolicy(policy: unknown, option: string): void {
  const fits = typeof policy === 'object' && policy !== null && 'freshMs' in policy
  if (!fits)
    throw invalidOption(
      option,
      "a policy: ttl('30s'), sliding('10m'), untilInvalidated(), immutable() or revisioned(…)",
      policy,
    )
}

/** Whole milliseconds of a policy's duration; zero is a duration (never fresh), `Infinity` is for ever. */
export function policyMs(duration: unknown, what: string): number {
  return Math.floor(Math.min(durationMs(duration, what), FOREVER))
}

function windowMs(duration: Duration | undefined, what: string): number {
  return duration === undefined ? 0 : Math.floor(Math.min(durationMs(duration, what), WINDOW_MS_MAX))
}
