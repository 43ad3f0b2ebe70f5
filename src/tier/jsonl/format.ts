import { TidemarkError } from '../../errors.ts'

/** The layout of folder and lines that this code reads and writes. */
export const FORMAT_VERSION = 1

/** Refuses what a later version wrote. Errors: `tier-newer`. */
export function refuseNewer(version: unknown, path: string): void {
  if (typeof version !== 'number' || version <= FORMAT_VERSION) return
  const message = `${path} has format version ${version}; this Tidemark knows up to ${FORMAT_VERSION}.`
  throw new TidemarkError('tier-newer', message, { data: { path, version } })
}
