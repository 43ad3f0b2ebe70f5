import type { ItemReading, ListReading } from '../collection/reading.ts'
import type { Reading } from '../resource/reading.ts'
import type { ViewReading } from '../view/reading.ts'

/** What `read` of a resource, a collection or a view, and `readAt` of a collection, resolve to. */
export type AnyReading = Reading<unknown> | ItemReading<unknown> | ListReading<unknown> | ViewReading<unknown>

/** A request of any framework that speaks the web's types. */
export interface AnyRequest {
  readonly method: string
  readonly url: string
  readonly headers: { get(name: string): string | null }
}

/** True for the reading of a view. */
export function isViewReading(reading: AnyReading): reading is ViewReading<unknown> {
  return 'status' in reading
}

/** The largest number of seconds a client has to understand (RFC 9111, section 1.2.2). */
export const SECONDS_MAX: number = 2 ** 31

/**
 * How old the answer is for the client, in whole seconds: since it was made, or last found to hold. A clock that was set
 * back makes that `Infinity`, for which headers have no word.
 */
export function ageSeconds(reading: AnyReading): number {
  const ageMs = isViewReading(reading) ? reading.staleFor : reading.age
  return Math.min(Math.floor(ageMs / 1000), SECONDS_MAX)
}
