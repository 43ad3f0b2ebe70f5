import type { ProxyInput } from '../proxy/record.ts'
import { Columns } from './columns.ts'
import { jsonOf } from './json.ts'

/** What can be imported, by the ending of its name. */
export const FORMATS = ['txt', 'csv', 'json', 'jsonl'] as const
export type Format = (typeof FORMATS)[number]

/** An export of a pool, which is read back under the same keys. */
export const SEALED = 'sealed'

/** Reads one line; `undefined`: there is nothing on it. Throws an error that says what does not fit. */
export type LineReader = (line: string) => ProxyInput | undefined

/** A reader for the lines of a file of this format. `json` is not read by lines: see {@link jsonInputs}. */
export function lineReader(format: Exclude<Format, 'json'>): LineReader {
  if (format === 'txt') return (line) => (isBlank(line) ? undefined : { url: line.trim() })
  if (format === 'jsonl') return (line) => (line.trim() === '' ? undefined : inputOf(jsonOf(line)))
  const columns = new Columns()
  return (line) => {
    const fields = isBlank(line) ? undefined : columns.fieldsOf(line)
    return fields && inputOf(fields)
  }
}

/** The proxies of a JSON text: a list of addresses or of objects, or an object with such a list as `proxies`. */
export function jsonInputs(text: string): (() => ProxyInput)[] {
  const value = jsonOf(text)
  const list = Array.isArray(value) ? value : (value as { proxies?: unknown } | null)?.proxies
  if (!Array.isArray(list)) throw new SyntaxError('Expected a list, or an object with a list as `proxies`.')
  return list.map((item: unknown) => () => inputOf(item))
}

function inputOf(value: unknown): ProxyInput {
  if (typeof value === 'string') return { url: value }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SyntaxError('Expected an address or an object.')
  const fields = value as Record<string, unknown>
  if (fields['tidemark'] === 'export') throw new SyntaxError('It is a sealed export: import it in the format `sealed`.')
  const url = textOf(fields, 'url') ?? textOf(fields, 'proxy_url')
  if (url === undefined) throw new SyntaxError('Expected `url`.')
  for (const name of ['username_encrypted', 'password_encrypted']) {
    if (fields[name])
      throw new SyntaxError(`\`${name}\` is sealed under a key of another program: import it with a decryptor.`)
  }
  const password = textOf(fields, 'password')
  if (/^\*+$/.test(password ?? ''))
    throw new SyntaxError('The password is masked: an export that shows asterisks has lost it.')
  return {
    url,
    username: textOf(fields, 'username'),
    password,
    source: textOf(fields, 'source'),
    fetchedAt: textOf(fields, 'fetched_at') ?? textOf(fields, 'fetch_time'),
    ttlSeconds: secondsOf(fields, 'ttl_seconds'),
  }
}

/** What is left out, empty or null is not given; what is of another type was meant to be something, and is not dropped. */
function textOf(fields: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const field = Object.hasOwn(fields, name) ? (fields[name] ?? '') : ''
  if (typeof field !== 'string') throw new SyntaxError(`Expected \`${name}\` to be text, got ${kindOf(field)}.`)
  return field === '' ? undefined : field
}

function secondsOf(fields: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const field = Object.hasOwn(fields, name) ? (fields[name] ?? '') : ''
  if (field === '') return undefined
  if (typeof field === 'number' && field >= 0) return field
  if (typeof field === 'string' && /^\d+(?:\.\d+)?$/.test(field)) return Number(field)
  throw new SyntaxError(`Expected \`${name}\` to be a number of seconds from 0, got ${kindOf(field)}.`)
}

/** Names the type only: a value in the wrong place may be a secret. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'string' ? 'another text' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function isBlank(line: string): boolean {
  return line.trim() === '' || line.trimStart().startsWith('#')
}
