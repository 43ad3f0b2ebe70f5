import type { Reading } from 'tidemark'

/** Why an answer should be doubted. */
export type Warning =
  /** It is from the cache. */
  | 'using_fallback_cache'
  /** It is older than 15 minutes. */
  | 'cache_stale'
  /** It is older than its time: there is nothing better. */
  | 'cache_last_resort'
  /** The database cannot be reached, or cannot answer; without it, it is only slow. */
  | 'database_unavailable'

/** Where an answer is from. */
export interface Origin {
  readonly data_source: 'postgresql' | 'cache'
  /** Since PostgreSQL said so; `null` when it just did. */
  readonly cache_age_seconds: number | null
  readonly warnings: readonly Warning[]
}

type AnyReading = Pick<Reading<unknown>, 'tier' | 'age' | 'warning' | 'reason'>

export function originOf({ tier, age, warning, reason }: AnyReading): Origin {
  if (tier === 'source') return { data_source: 'postgresql', cache_age_seconds: null, warnings: [] }
  const warnings: Warning[] = ['using_fallback_cache']
  if (warning === 'aging' || warning === 'last-resort') warnings.push('cache_stale')
  if (warning === 'last-resort') warnings.push('cache_last_resort')
  if (reason === 'source-unavailable') warnings.push('database_unavailable')
  return { data_source: 'cache', cache_age_seconds: Math.floor(age / 1000), warnings }
}

/** Of an answer that is put together: from PostgreSQL if all of it is, as old as its oldest part, with every warning. */
export function originOfAll(readings: readonly AnyReading[]): Origin {
  const origins = readings.map(originOf)
  const ages = origins.flatMap(({ cache_age_seconds: age }) => (age === null ? [] : [age]))
  return {
    data_source: ages.length === 0 ? 'postgresql' : 'cache',
    cache_age_seconds: ages.length === 0 ? null : Math.max(...ages),
    warnings: [...new Set(origins.flatMap(({ warnings }) => warnings))],
  }
}
