import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'

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
/** What others write in front; any other word may be a secret. */
const OTHER_SCHEMES = /^(?:socks(?:4a?|5h?)?|ftp|wss?|file)$/
const LENGTH_MAX = 2048
const PORT = /^\d{1,5}$/
const DOTTED = /^[\w-]+(?:\.[\w-]+)+$/
/** Nothing but a host and a port. What is in front of an `@` may be either, where the two halves were mixed up. */
const PLAIN = /^(?:(?:https?|socks\w{0,2}|ftp|wss?|file):\/\/)?((?:[\w.-]+|\[[\da-f:.]+\]):(\d{1,5}))$/i

/**
 * Reads `http://user:password@host:port`, `host:port` or `host:port:user:password`. Credentials in the address are moved
 * out of it, so that they are sealed like others and are never part of a key.
 */
export function parseProxy(text: string): ProxyAddress {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.length > LENGTH_MAX) throw wrong(trimmed, 'is empty or too long')
  const [, host, port, username, password] = /^([\w.-]+):(\d{1,5}):([^:\s]+):(\S+)$/.exec(trimmed) ?? []
  if (host !== undefined) {
    // `user:1234:10.0.0.7:8080` reads like one, and would put the password where everybody sees it.
    if (!host.includes('.') && DOTTED.test(username ?? '') && PORT.test(password ?? ''))
      throw wrong(trimmed, 'seems to have its credentials before its host')
    return addressOf(urlOf(`http://${host}:${port}`, trimmed), trimmed, username, password)
  }
  const hasScheme = /^[a-z][\w+.-]*:\/\//i.test(trimmed)
  // A word alone may be anything, also a password that a line break tore off.
  if (!hasScheme && !/:\d+\/?$/.test(trimmed)) throw wrong(trimmed, 'has no port')
  const url = urlOf(hasScheme ? trimmed : `http://${trimmed}`, trimmed)
  if (!(url.protocol in SCHEMES)) {
    const scheme = url.protocol.slice(0, -1)
    throw wrong(trimmed, OTHER_SCHEMES.test(scheme) ? `has the scheme ${scheme}` : 'has an unknown scheme')
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') throw wrong(trimmed, 'has a path')
  return addressOf(url, trimmed, decoded(url.username, trimmed), decoded(url.password, trimmed))
}

/** The name of a proxy: the first 16 hex digits of the SHA-256 of its normalised address. */
export function proxyKey(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 16)
}

function urlOf(text: string, given: string): URL {
  if (!URL.canParse(text)) throw wrong(given, 'is no address')
  return new URL(text)
}

function addressOf(url: URL, text: string, username?: string, password?: string): ProxyAddress {
  const port = url.port || SCHEMES[url.protocol]
  if (url.hostname === '' || port === '0') throw wrong(text, 'has no host or no port')
  if (!url.hostname.includes('.') && isIPv4(username ?? '') && PORT.test(password ?? ''))
    throw wrong(text, 'seems to have its host before its credentials')
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

/** Names the address by its host and port where it is plain which they are, else by its length: the rest may be a password. */
function wrong(text: string, why: string): ProxyAddressError {
  const [, hostAndPort, port] = PLAIN.exec(text) ?? []
  const shown =
    hostAndPort !== undefined && Number(port) <= 65_535 ? `'${hostAndPort}'` : `A text of ${text.length} characters`
  return new ProxyAddressError(`${shown} ${why}; expected http://host:port, host:port or host:port:user:password.`)
}
