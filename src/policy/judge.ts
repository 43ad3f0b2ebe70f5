import type { Lifetimes } from '../entry.ts'

/**
 * What may be done with an entry at a moment:
 * `fresh`: hand it out; `stale`: hand it out and load behind it; `fallback`: load, hand it out only if the source fails;
 * `expired`: load, it may not be handed out.
 */
export type Verdict = 'fresh' | 'stale' | 'fallback' | 'expired'

/** What is judged: an entry, or what a tier tells of one. */
export type Judged = Lifetimes & { readonly loadedAt: number; readonly staleAt?: number | undefined }

/** Clocks of several machines differ a little; an entry further in the future than this comes from a stepped clock. */
export const CLOCK_SKEW_MS_MAX = 60_000

/**
 * Judges an entry: a pure function of its times and now. Every boundary is inclusive: at `until` it is past
 * (contract C5, `inclusive-boundary`). An entry from the future is loaded anew rather than trusted (`clock-steps`).
 * At an entry that was invalidated it is never earlier than the invalidation, whose clock may be a little ahead of ours.
 */
export function judge(entry: Judged, now: number): Verdict {
  const at = entry.staleAt === undefined ? now : Math.max(now, entry.staleAt)
  const isFromFuture = entry.loadedAt > at + CLOCK_SKEW_MS_MAX
  if (!isFromFuture && at < entry.freshUntil) return 'fresh'
  if (!isFromFuture && at < entry.staleUntil) return 'stale'
  return at < entry.errorUntil ? 'fallback' : 'expired'
}
