import type { Key } from '../key.ts'
import type { Context } from '../load/context.ts'
import { judge, type Verdict } from '../policy/judge.ts'
import type { Source, SourceStatus } from '../source/outage/source.ts'
import type { Loading } from './loading.ts'
import type { Asked, Revisions } from './revisions.ts'

/** What one tier has of a key. */
export interface TierExplanation {
  readonly tier: string
  readonly state: Verdict | 'absent'
  readonly loadedAt?: number
  readonly freshUntil?: number
  readonly staleUntil?: number
  readonly errorUntil?: number
  readonly keepUntil?: number
  /** When it was invalidated, if it was. */
  readonly invalidatedAt?: number | undefined
  readonly tags?: readonly string[] | undefined
}

/** Why a key is as it is. */
export interface Explanation {
  readonly name: string
  readonly key: string
  /** When it was asked; milliseconds since 1970, as all times here. */
  readonly now: number
  /** The best that any tier has. */
  readonly state: Verdict | 'absent'
  /** One sentence for a person. */
  readonly reason: string
  readonly tiers: readonly TierExplanation[]
  /** The load in progress, if there is one. */
  readonly loading: { readonly since: number } | undefined
  /** The last failed load since one succeeded: no load is tried behind stale values before `retryAt`. */
  readonly lastFailure: { readonly error: unknown; readonly failures: number; readonly retryAt: number } | undefined
  /** With `strategy: 'source-first'`: how the source is, which a read asks first. */
  readonly source: SourceStatus | undefined
  /** When the value stops being fresh, or, while the source is left alone, when it is asked again. */
  readonly nextRefreshAt: number | undefined
}

const RANK: readonly (Verdict | 'absent')[] = ['fresh', 'stale', 'fallback', 'expired', 'absent']

/** Asks every tier for a key, and for the revision if there is one, and says what a reader would get. Starts nothing. */
export async function explain<K, V>(
  key: Key,
  loading: Loading<K, V>,
  context: Context,
  source?: Source,
  revisions?: Revisions,
): Promise<Explanation> {
  const asked = await revisions?.ask().catch(() => undefined)
  const now = context.clock.now()
  const tiers: TierExplanation[] = []
  for (const tier of context.stack.tiers) {
    const entry = await tier.get(key)
    if (!entry) tiers.push({ tier: tier.name, state: 'absent' })
    else {
      const { loadedAt, freshUntil, staleUntil, errorUntil, keepUntil, staleAt: invalidatedAt, tags } = entry
      tiers.push({
        tier: tier.name,
        state: revisions ? revisions.verdict(entry, asked) : judge(entry, now),
        loadedAt,
        freshUntil,
        staleUntil,
        errorUntil,
        keepUntil,
        invalidatedAt,
        tags,
      })
    }
  }
  const best = tiers.toSorted((a, b) => RANK.indexOf(a.state) - RANK.indexOf(b.state))[0] ?? {
    tier: '',
    state: 'absent' as const,
  }
  const failure = loading.backoff.last(key.id)
  const flight = loading.flights.get(key.id)
  return {
    name: key.name,
    key: key.id,
    now,
    state: best.state,
    reason: source
      ? sourceFirstSentence(source.status, best, now)
      : sentence(best, now, failure !== undefined, staleness(revisions, asked)),
    tiers,
    loading: flight && { since: flight.startedAt },
    lastFailure: failure && { error: failure.error, failures: failure.failures, retryAt: failure.retryAt },
    source: source?.status,
    nextRefreshAt: source ? source.status.nextProbeAt : (failure?.retryAt ?? best.freshUntil),
  }
}

function sourceFirstSentence({ state, reason }: SourceStatus, best: TierExplanation, now: number): string {
  const isThere = best.state !== 'absent' && best.state !== 'expired'
  const known = isThere ? `what ${best.tier} has from ${now - (best.loadedAt ?? now)} ms ago` : undefined
  if (state === 'up') return `A read asks the source; ${known ?? 'nothing'} may be handed out if it is slow or fails.`
  return `The source is left alone because of: ${reason}; a read ${known ? `gets ${known}` : 'fails'}.`
}

/** Why something is stale that was not invalidated. */
function staleness(revisions: Revisions | undefined, asked: Asked | undefined): string {
  if (!revisions) return 'its time is over'
  return asked ? 'the revision of its source has moved' : 'nobody can tell the revision of its source'
}

function sentence(best: TierExplanation, now: number, failed: boolean, staleness: string): string {
  const because = best.invalidatedAt === undefined ? staleness : `it was invalidated ${now - best.invalidatedAt} ms ago`
  const source = failed ? '; the last load failed' : ''
  switch (best.state) {
    case 'fresh':
      return `Fresh in ${best.tier} for ${(best.freshUntil ?? now) - now} ms more${source}.`
    case 'stale':
      return `Stale in ${best.tier} because ${because}; a read gets it at once and loads behind it${source}.`
    case 'fallback':
      return `Stale in ${best.tier} because ${because}; a read asks the source and gets it only if that fails${source}.`
    case 'expired':
      return `Kept in ${best.tier}, but no longer handed out because ${because}; a read asks the source${source}.`
    case 'absent':
      return `In no tier; a read asks the source${source}.`
  }
}
