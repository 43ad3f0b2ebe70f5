import { TidemarkError } from '../errors.ts'

/** One item with what is known about it. */
export interface ItemReading<T> {
  readonly value: T
  readonly state: 'fresh' | 'stale'
  /** As for a resource: `hit`, `loaded` after asking the source, `revalidating`, `source-slow`, `source-unavailable`. */
  readonly reason: 'hit' | 'loaded' | 'revalidating' | 'source-slow' | 'source-unavailable'
  /** The tier that answered, or `source`. */
  readonly tier: string
  /** Milliseconds since the item was loaded, or, for a list, since the source was last asked for its count. */
  readonly age: number
  readonly loadedAt: number
  /** Why the source could not answer, when it could not. */
  readonly error?: unknown
}

/** All items with what is known about them. */
export interface ListReading<T> extends ItemReading<T[]> {
  /** How many items this read added, when it asked the source. */
  readonly added?: number
  /** `new` when this read found that the source was erased or holds other things. */
  readonly era?: 'same' | 'new'
}

/** The error for an item that is not there; `total` is how many there are, where that is known. */
export function outOfRange(name: string, index: number, total: number | undefined): TidemarkError {
  const has = total === undefined ? 'Expected a whole number from 0' : `It has ${total}`
  return new TidemarkError('out-of-range', `${name} has no item ${index}. ${has}.`, { data: { name, index, total } })
}
