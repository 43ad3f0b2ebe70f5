import type { ProxyInput } from '../proxy/record.ts'
import { csvFields } from './csv.ts'

/** What can be imported, by the ending of its name. */
export const FORMATS = ['txt', 'csv', 'json', 'jsonl'] as const
export type Format = (typeof FORMATS)[number]

/** Reads one line; `undefined`: there is nothing on it. Throws an error that says what does not fit. */
export type LineReader = (line: string) => ProxyInput | undefined

/** A reader for the lines of a file of this format. `json` is not read by lines: see {@link jsonInputs}. */
export function lineReader(format: Exclude<Format, 'json'>): LineReader {
  if (format === 'txt') return (line) => (isBlank(line) ? undefined : { url: line.trim() })
  if (format === 'jsonl') return (line) => (line.trim() === '' ? undefined : inputOf(JSON.parse(line)))
  let header: readonly string[] | undefined
  return (line) => {
    if (isBlank(line)) return undefined
    const fields = csvFields(line)
    if (!header) {
      const names = fields.map((name) => name.toLowerCase())
      if (names.includes('url')) {
        header = names
        return undefined
      }
      header = ['url', 'username', 'password', 'source', 'ttl_seconds']
    }
    return inputOf(Object.fromEntries(header.map((name, i) => [name, fields[i] ?? ''])))
  }
}

/** The proxies of a JSON text: a list of addresses or of objects, or an object with such a list as `proxies`. */
export function jsonInputs(text: string): (() => ProxyInput)[] {
  const value: unknown = JSON.parse(text)
  const list = Array.isArray(value) ? value : (value as { proxies?: unknown } | null)?.proxies
  if (!Array.isArray(list)) throw new SyntaxError('Expected a list, or an object with a list as `proxies`.')
  return list.map((item: unknown) => () => inputOf(item))
}

function inputOf(value: unknown): ProxyInput {
  if (typeof value === 'string') return { url: value }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SyntaxError('Expected an address or an object.')
  const fields = value as Record<string, unknown>
  const text = (name: string): string | undefined => {
    const field = fields[name]
    return typeof field === 'string' && field !== '' ? field : undefined
  }
  const url = text('url') ?? text('proxy_url')
  if (url === undefined) throw new SyntaxError('Expected `url`.')
  for (const name of ['username_encrypted', 'password_encrypted']) {
    if (fields[name])
      throw new SyntaxError(`\`${name}\` is sealed under a key of another program: import it with a decryptor.`)
  }
  if (/^\*+$/.test(text('password') ?? ''))
    throw new SyntaxError('The password is masked: an export that shows asterisks has lost it.')
  const ttl = fields['ttl_seconds']
  const ttlSeconds = ttl === undefined || ttl === '' || ttl === null ? undefined : Number(ttl)
  return {
    url,
    username: text('username'),
    password: text('password'),
    source: text('source'),
    fetchedAt: text('fetched_at') ?? text('fetch_time'),
    ttlSeconds,
  }
}

function isBlank(line: string): boolean {
  return line.trim() === '' || line.trimStart().startsWith('#')
}
