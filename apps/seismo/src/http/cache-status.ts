import type { ItemReading, ListReading, Reading } from 'tidemark'

type AnyReading = Reading<unknown> | ItemReading<unknown> | ListReading<unknown>

/** What an answer says of itself, for people: where it came from and how old it is. */
export interface Source {
  readonly state: 'fresh' | 'stale'
  readonly reason: string
  /** `memory`, `sqlite`, or `source`: the unit itself. */
  readonly tier: string
  readonly age_seconds: number
  /** ISO 8601. */
  readonly loaded_at: string
  /** Why the unit could not answer, when it could not. */
  readonly error?: string
}

export function sourceOf(reading: AnyReading): Source {
  const { state, reason, tier, age, loadedAt, error } = reading
  return {
    state,
    reason,
    tier,
    age_seconds: Math.floor(age / 1000),
    loaded_at: new Date(loadedAt).toISOString(),
    ...(error instanceof Error ? { error: error.message } : undefined),
  }
}

/** The headers `Cache-Status` (RFC 9211) and `Age` (RFC 9111, whole seconds). */
export function cacheHeaders(reading: AnyReading, isForced: boolean): Record<string, string> {
  return { 'Cache-Status': `tidemark; ${statusOf(reading, isForced)}`, Age: String(Math.floor(reading.age / 1000)) }
}

function statusOf(reading: AnyReading, isForced: boolean): string {
  if (reading.reason === 'hit') return `hit; detail=${reading.tier}`
  if (reading.reason === 'revalidating') return `hit; detail=revalidating`
  if (reading.state === 'stale') return `fwd=stale; detail=${reading.reason}`
  if (isForced) return 'fwd=request; stored'
  // A list whose count was asked for and had not moved: the stored items were found good.
  if ('added' in reading && reading.added === 0 && reading.era === 'same') return 'fwd=stale; fwd-status=304'
  return 'fwd=miss; stored'
}
