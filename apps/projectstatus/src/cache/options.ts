import type { Clock, Duration, EventListener, SourceOptions, TimeoutOptions } from 'tidemark'
import type { ProjectSource } from './source.ts'

/** Options of {@link ProjectStatusCache}. */
export interface CacheOptions {
  /** The file. Defaults to `data/projectstatus.db`. */
  readonly path?: string | undefined
  /** Whom reads ask first. Defaults to nobody: a cache of its own. */
  readonly source?: ProjectSource | undefined
  /** How long a value is fresh as a stand-in. Defaults to 30 minutes for each kind. */
  readonly ttl?: { readonly vendors?: Duration; readonly workItems?: Duration; readonly lists?: Duration } | undefined
  /** After this age a stand-in comes with a warning. Defaults to 15 minutes. */
  readonly warnAfter?: Duration | undefined
  /** So long after that a value stands in as a last resort; 0: not at all. Defaults to 7 days. */
  readonly staleIfError?: Duration | undefined
  /** How long a reader waits for the source when there is a stand-in, and when there is none. Defaults to 250 ms and 2 s. */
  readonly timeout?: TimeoutOptions | undefined
  /** What is loaded anew when the source is back. Defaults to the last 1000 keys, 50 a second. */
  readonly warmUp?: SourceOptions['warmUp']
  /** At most so many entries in memory, and as many in the file; the oldest unread ones leave. Defaults to 10 000. */
  readonly maxEntries?: number | undefined
  /** Where time comes from. Defaults to the process's own. */
  readonly clock?: Clock | undefined
  /** Hears what the cache tells. Defaults to nobody. */
  readonly onEvent?: EventListener | undefined
}
