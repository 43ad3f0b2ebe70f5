import { invalidOption, refuseUnknown } from '../errors.ts'

/** Which stored values will do. */
export interface StoredOptions {
  /** Also one that is no longer fresh, as long as it is kept. Defaults to `false`. */
  readonly stale?: boolean | undefined
}

/** What a caller knows of a value that did not come from the loader. */
export interface SetOptions {
  /** When the source said so, milliseconds since 1970. Defaults to now. */
  readonly loadedAt?: number | undefined
}

/** True when a value that is no longer fresh will do. Errors: `unknown-option`, `invalid-option`. */
export function takesStale(name: string, options: StoredOptions): boolean {
  refuseUnknown(`${name}.stored`, options, ['stale'])
  const { stale = false } = options
  if (typeof stale !== 'boolean') throw invalidOption(`${name}.stale`, 'true or false', stale)
  return stale
}

/** The moment a value that is set counts from. Errors: `unknown-option`, `invalid-option`. */
export function setMoment(name: string, options: SetOptions, now: number): number {
  refuseUnknown(`${name}.set`, options, ['loadedAt'])
  const { loadedAt = now } = options
  if (typeof loadedAt === 'number' && loadedAt >= 0 && loadedAt <= now) return Math.floor(loadedAt)
  throw invalidOption(`${name}.loadedAt`, 'milliseconds since 1970, not in the future', options.loadedAt)
}
