import type { TidemarkEvent } from 'tidemark'

/** What is worth a row in `cache_metadata`. */
export interface Note {
  readonly key: 'source' | 'last_outage' | 'last_warm_up'
  readonly value: Readonly<Record<string, string | number>>
}

/** What the cache notes of an event, for people who read its file. */
export function noted(event: TidemarkEvent): Note | undefined {
  if (event.type === 'source-state') {
    const { source, state, reason } = event
    return state === 'up'
      ? { key: 'source', value: { source, state } }
      : { key: 'last_outage', value: { source, reason } }
  }
  if (event.type === 'warm-up' && event.done === event.total)
    return { key: 'last_warm_up', value: { source: event.source, keys: event.total } }
  return undefined
}
