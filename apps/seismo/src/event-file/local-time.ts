// Units know no zones: a time is what their own clock showed. Seconds are counted from 1985, as the files do.

const EPOCH_MS = Date.UTC(1985, 0, 1)
/** 2053-12-24T05:45:35: the last second that a file name can say. */
export const SECONDS_MAX: number = 36 ** 6 - 1
const LOCAL = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})?$/

/**
 * Whole seconds from 1985-01-01T00:00:00 to a time as the unit wrote it; a zone behind it is not the unit's and counts for
 * nothing. `undefined` for what is no time.
 */
export function secondsOf(time: string): number | undefined {
  const [, local] = LOCAL.exec(time) ?? []
  const ms = local === undefined ? Number.NaN : Date.parse(`${local}Z`)
  // The 30th of February is read as the 2nd of March.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== local) return undefined
  return Math.round((ms - EPOCH_MS) / 1000)
}

/** The time so many seconds after 1985-01-01T00:00:00: `2026-05-01T13:16:34`. */
export function formatLocal(seconds: number): string {
  return new Date(EPOCH_MS + seconds * 1000).toISOString().slice(0, 19)
}
