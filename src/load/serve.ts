import type { Clock } from '../clock.ts'
import type { Verdict } from '../policy/judge.ts'
import type { MaybePromise } from '../tier/tier.ts'
import { orLate } from './deadline.ts'

/** Why a stale value is handed out. */
export type StaleReason = 'revalidating' | 'source-slow' | 'source-unavailable'

/** A stale value that may still be handed out, at least when the source fails. */
export interface Known<R> {
  /** Judged anew each time: the window may end while the source is asked. */
  verdict(): Verdict
  /** The reading made of it. `waited`: the reader waited for the source first, so it is no hit. */
  stale(reason: StaleReason, waited: boolean, error?: unknown): R
}

/** The source as far as this decision needs it. */
export interface Source<R> {
  readonly clock: Clock
  readonly softMs: number
  /** The last failure, while the source is being left alone for this key. */
  failure(): { readonly error: unknown } | undefined
  /** Starts a load nobody waits for, unless one is under way. */
  loadBehind(): void
  load(): Promise<R>
  /** True when a failure means that the cache was closed under the reader. */
  isClosed(): boolean
}

/**
 * What becomes of a reader when all there is is stale: it gets the value at once and a load runs behind it
 * (stale-while-revalidate), or it waits for the source and gets the value only if that fails, is slow, or failed lately
 * (stale-if-error). After RFC 5861; the two windows are budgets of their own.
 */
export function serveStale<R>(known: Known<R>, source: Source<R>): MaybePromise<R> {
  if (known.verdict() === 'stale') {
    source.loadBehind()
    return known.stale('revalidating', false)
  }
  const failure = source.failure()
  return failure ? known.stale('source-unavailable', false, failure.error) : loadOrFallBack(known, source)
}

async function loadOrFallBack<R>(known: Known<R>, source: Source<R>): Promise<R> {
  const loading = source.load()
  try {
    const landed =
      source.softMs === Number.POSITIVE_INFINITY ? await loading : await orLate(loading, source.softMs, source.clock)
    if (landed !== 'late') return landed
    // The window may have ended meanwhile: then there is nothing to answer with but what the source says.
    return known.verdict() === 'expired' ? await loading : known.stale('source-slow', true)
  } catch (error) {
    if (source.isClosed() || known.verdict() === 'expired') throw error
    return known.stale('source-unavailable', true, error)
  }
}
