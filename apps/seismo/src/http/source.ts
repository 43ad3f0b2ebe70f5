import type { ItemReading, ListReading, Reading } from 'tidemark'

/** Where an answer came from and how old it is, for people. */
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

/** What an answer says of itself in `cache` of its body. */
export function sourceOf(reading: Reading<unknown> | ItemReading<unknown> | ListReading<unknown>): Source {
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
