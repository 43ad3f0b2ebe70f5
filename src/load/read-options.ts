import { invalidOption, refuseUnknown } from '../errors.ts'

/** How one read differs from the others. */
export interface ReadOptions {
  /** Ask the source whatever is cached, and store what it says. Defaults to `false`. */
  readonly refresh?: boolean | undefined
}

/** True when the source is to be asked. A misspelt option would be a read that silently does something else. Errors: `unknown-option`, `invalid-option`. */
export function isRefresh(where: string, options: ReadOptions | undefined): boolean {
  if (options === undefined) return false
  refuseUnknown(where, options, ['refresh'])
  const { refresh = false } = options
  if (typeof refresh !== 'boolean') throw invalidOption(`${where}.refresh`, 'true or false', refresh)
  return refresh
}
