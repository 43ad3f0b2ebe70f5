import { invalidOption, refuseUnknown } from '../errors.ts'
import type { ArtifactRow, Search } from './catalog.ts'
import { checkName } from './name.ts'

/** Which artifacts are listed. */
export interface ListOptions {
  /** Only this folder. */
  readonly folder?: string | undefined
  /** From this time on, and before that one: compared with `time` as text. A date alone does: `2026-05-01`. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Defaults to `newest` first. */
  readonly order?: 'newest' | 'oldest' | undefined
  /** At most so many, up to 1000. Defaults to 100. */
  readonly limit?: number | undefined
  /** The `next` of the page before. */
  readonly after?: string | undefined
}

/** One page of a list. */
export interface ArtifactPage {
  readonly artifacts: readonly ArtifactRow[]
  /** What to give as `after` for the next page; `undefined` on the last one. */
  readonly next: string | undefined
}

const LIMIT_DEFAULT = 100
const LIMIT_MAX = 1000
const TIME_CHARACTERS_MAX = 40

/** The options of `list`, checked. Errors: `invalid-option`, `unknown-option`, `artifact-name`. */
export function resolveList(options: ListOptions): Search {
  refuseUnknown('list()', options, ['folder', 'from', 'to', 'order', 'limit', 'after'])
  const { folder, from, to, order = 'newest', limit = LIMIT_DEFAULT, after } = options
  if (folder !== undefined) checkName('folder', folder)
  for (const [option, time] of Object.entries({ from, to })) {
    if (time !== undefined && (typeof time !== 'string' || !/^\d{4}/.test(time) || time.length > TIME_CHARACTERS_MAX))
      throw invalidOption(`list.${option}`, 'a time like 2026-05-01T13:16:34, or its beginning', time)
  }
  if (order !== 'newest' && order !== 'oldest') throw invalidOption('list.order', "'newest' or 'oldest'", order)
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
    throw invalidOption('list.limit', `a whole number from 1 to ${LIMIT_MAX}`, limit)
  return { folder, from, to, order, limit, after: after === undefined ? undefined : placeOf(after) }
}

/** The page, given one row more than it may have. */
export function pageOf(rows: readonly ArtifactRow[], limit: number): ArtifactPage {
  const artifacts = rows.slice(0, limit)
  const last = artifacts.at(-1)
  const isMore = rows.length > limit && last !== undefined
  return {
    artifacts,
    next: isMore
      ? Buffer.from(JSON.stringify([last.time, last.folder, last.filename])).toString('base64url')
      : undefined,
  }
}

function placeOf(cursor: unknown): Search['after'] {
  try {
    const place: unknown = JSON.parse(Buffer.from(String(cursor), 'base64url').toString())
    if (Array.isArray(place) && place.length === 3 && place.every((part) => typeof part === 'string')) {
      const [time, folder, filename] = place as [string, string, string]
      return { time, folder, filename }
    }
  } catch {
    // Refused below, like every other text that is none of ours.
  }
  throw invalidOption('list.after', 'the `next` of another page', cursor)
}
