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

/** How old the answer is for the client, in whole seconds: since it was made, or last found to hold. */
export function ageSeconds(reading: AnyReading): number {
  return Math.floor((isViewReading(reading) ? reading.staleFor : reading.age) / 1000)
}
