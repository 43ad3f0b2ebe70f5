import type { Lifetimes } from '../entry.ts'

/**
 * What may be done with an entry at a moment:
 * `fresh`: hand it out; `stale`: hand it out and load behind it; `fallback`: load, hand it out only if the source fails;
 * `expired`: load, it may not be handed out.
 */
export type Verdict = 'fresh' | 'stale' | 'fallback' | 'expired'

/** Clocks of several machines differ a little; an entry further in the future than this comes from a stepped clock. */
export const CLOCK_SKEW_MS_MAX = 60_000

/**
 * Judges an entry: a pure function of its times and now. Every boundary is inclusive: at `until` it is past
 * (contract C5, `inclusive-boundary`). An entry from the future is loaded anew rather than trusted (`clock-steps`).
 */
export function judge(entry: Lifetimes & { readonly loadedAt: number }, now: number): Verdict {
  const fromFuture = entry.loadedAt > now + CLOCK_SKEW_MS_MAX
  if (!fromFuture && now < entry.freshUntil) return 'fresh'
  if (!fromFuture && now < entry.staleUntil) return 'stale'
  return now < entry.errorUntil ? 'fallback' : 'expired'
}
