import type { AnyRequest } from './reading.ts'

/**
 * True when the client wants the source asked, whatever is cached: `?refresh=true`, or `Cache-Control: no-cache` in the
 * request, which browsers send when a page is reloaded with the cache off.
 */
export function wantsRefresh({ url, headers }: AnyRequest): boolean {
  // Not as a URL: a client may send what is none.
  const query = /^[^?#]*\?([^#]*)/.exec(url)?.[1]
  if (new URLSearchParams(query).get('refresh') === 'true') return true
  const control = headers.get('cache-control')
  if (control !== null) return directivesOf(control).includes('no-cache')
  // HTTP/1.0; means something only where the other is missing (RFC 9111, section 5.4).
  return directivesOf(headers.get('pragma') ?? '').includes('no-cache')
}

/** True when the client has what this entity tag names: it is answered with 304. */
export function isNotModified({ method, headers }: AnyRequest, etag: string): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const asked = headers.get('if-none-match')
  if (asked === null) return false
  if (asked.trim() === '*') return true
  // Compared weakly (RFC 9110, section 13.1.2).
  return [...asked.matchAll(/(?:W\/)?("[^"]*")/g)].some(([, tag]) => tag === etag.replace(/^W\//, ''))
}

function directivesOf(header: string): string[] {
  return header.split(',').map((it) => it.trim().toLowerCase())
}
