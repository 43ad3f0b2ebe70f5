import { createHash } from 'node:crypto'

/** A proxy's address without its credentials, and the credentials beside it. */
export interface ProxyAddress {
  /** `http://host:port` or `https://host:port`: lower case, with its port, and nothing after it. */
  readonly url: string
  readonly username?: string
  readonly password?: string
}

/** A proxy that is none. */
export class ProxyAddressError extends Error {
  override readonly name = 'ProxyAddressError'
}

const SCHEMES: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }
const LENGTH_MAX = 2048

/**
 * Reads `http://user:password@host:port`, `host:port` or `host:port:user:password`. Credentials in the address are moved
 * out of it, so that they are sealed like others and are never part of a key.
 */
export function parseProxy(text: string): ProxyAddress {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.length > LENGTH_MAX) throw wrong(trimmed, 'is empty or too long')
  const [, host, port, username, password] = /^([\w.-]+):(\d{1,5}):([^:\s]+):(\S+)$/.exec(trimmed) ?? []
  if (host !== undefined) return addressOf(new URL(`http://${host}:${port}`), trimmed, username, password)
  const withScheme = /^[a-z][\w+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`
  if (!URL.canParse(withScheme)) throw wrong(trimmed, 'is no address')
  const url = new URL(withScheme)
  if (!(url.protocol in SCHEMES)) throw wrong(trimmed, `has the scheme ${url.protocol.slice(0, -1)}`)
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') throw wrong(trimmed, 'has a path')
  return addressOf(url, trimmed, decoded(url.username, trimmed), decoded(url.password, trimmed))
}

/** The name of a proxy: the first 16 hex digits of the SHA-256 of its normalised address. */
export function proxyKey(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 16)
}

function addressOf(url: URL, text: string, username?: string, password?: string): ProxyAddress {
  const port = url.port || SCHEMES[url.protocol]
  if (url.hostname === '' || port === '0') throw wrong(text, 'has no host or no port')
  return {
    url: `${url.protocol}//${url.hostname.toLowerCase()}:${port}`,
    ...(username ? { username } : undefined),
    ...(password ? { password } : undefined),
  }
}

function decoded(part: string, text: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw wrong(text, 'has credentials that are not well encoded')
  }
}

/** Names the address without what may be a password in it. */
function wrong(text: string, why: string): ProxyAddressError {
  const shown = text.includes('@')
    ? `…@${text.slice(text.lastIndexOf('@') + 1, text.lastIndexOf('@') + 61)}`
    : text.slice(0, 60)
  const hidden =
    shown.split(':').length > 3 && !shown.includes('//') ? `${shown.split(':').slice(0, 2).join(':')}:…` : shown
  return new ProxyAddressError(`'${hidden}' ${why}; expected http://host:port, host:port or host:port:user:password.`)
}
