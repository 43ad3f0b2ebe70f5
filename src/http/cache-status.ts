import { ageSeconds, isViewReading, type AnyReading } from './reading.ts'
import type { ViewReading } from '../view/reading.ts'

/** How a `Cache-Status` is written. */
export interface CacheStatusOptions {
  /** What the cache is called in it. Defaults to `tidemark`. */
  readonly cache?: string | undefined
  /** The client asked for a refresh, see `wantsRefresh`. Defaults to `false`. */
  readonly isForced?: boolean | undefined
}

/**
 * The header `Cache-Status` (RFC 9211): whether the cache answered by itself (`hit`) or asked the source (`fwd`), and why.
 * A stale answer is marked: `detail` says why it is, and the `ttl` of a view's is negative.
 *
 * @example
 * cacheStatus(await status.read('unit-7')) // tidemark; hit; detail=memory
 */
export function cacheStatus(
  reading: AnyReading,
  { cache = 'tidemark', isForced = false }: CacheStatusOptions = {},
): string {
  const parameters = isViewReading(reading) ? ofView(reading, isForced) : ofReading(reading, isForced)
  return [item(cache), ...parameters].join('; ')
}

function ofReading(reading: Exclude<AnyReading, ViewReading<unknown>>, isForced: boolean): string[] {
  const { reason, tier } = reading
  if (reason === 'hit') return ['hit', `detail=${item(tier)}`]
  if (reason === 'revalidating') return ['hit', 'detail=revalidating']
  if (reason !== 'loaded') return ['fwd=stale', `detail=${reason}`]
  if (isForced) return ['fwd=request', 'stored']
  // A list whose count was asked for and had not moved: what is stored was found to be good.
  if ('added' in reading && reading.added === 0 && reading.era === 'same') return ['fwd=stale', 'fwd-status=304']
  // Another process loaded it while this reader waited.
  return tier === 'source' ? ['fwd=miss', 'stored'] : ['fwd=miss', 'collapsed', `detail=${item(tier)}`]
}

function ofView(reading: ViewReading<unknown>, isForced: boolean): string[] {
  const { status, reason, sections } = reading
  if (status === 'hit') return ['hit']
  if (status === 'stale') {
    const ttl = `ttl=-${ageSeconds(reading)}`
    return reason === 'revalidating' ? ['hit', ttl, 'detail=revalidating'] : ['fwd=stale', ttl, `detail=${reason}`]
  }
  if (status === 'miss') return [isForced ? 'fwd=request' : 'fwd=miss', 'stored']
  const rebuilt = Object.entries(sections).flatMap(([name, { state }]) => (state === 'rebuilt' ? [name] : []))
  return ['fwd=partial', 'stored', `detail=${item(rebuilt.join(' '))}`]
}

/** A token, or else a string, as structured headers write them (RFC 8941). */
function item(text: string): string {
  if (/^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/.test(text)) return text
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
