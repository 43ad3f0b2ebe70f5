import { csvFields } from './csv.ts'

/** What a column is, by what lists call it. */
const NAMES: Readonly<Record<string, string>> = {
  url: 'url',
  proxy_url: 'url',
  host: 'host',
  ip: 'host',
  port: 'port',
  protocol: 'protocol',
  scheme: 'protocol',
  username: 'username',
  user: 'username',
  password: 'password',
  pass: 'password',
  source: 'source',
  ttl_seconds: 'ttl_seconds',
  fetched_at: 'fetched_at',
  fetch_time: 'fetched_at',
}
/** The columns of a file whose first line is a proxy. */
const BY_PLACE = ['url', 'username', 'password', 'source', 'ttl_seconds']

const HINT =
  `Expected a first line that names the columns: \`url\`, or \`host\` (or \`ip\`) and \`port\`, and any of \`protocol\`, ` +
  `\`username\`, \`password\`, \`source\`, \`ttl_seconds\` and \`fetched_at\`. Only where the first field is an address with ` +
  `its port it may be missing: the columns are ${BY_PLACE.join(', ')} then.`

/** Reads lines of comma-separated values into fields by name, once the first line has said which they are. */
export class Columns {
  /** By place; `undefined`: of no interest. No list: the first line said nothing that is understood. */
  #names: readonly (string | undefined)[] | undefined
  #hasFirst = false

  /** `undefined` for the line that names the columns. Errors: `SyntaxError`, which never quotes a field. */
  fieldsOf(line: string): Record<string, string> | undefined {
    const isFirst = !this.#hasFirst
    this.#hasFirst = true
    const fields = csvFields(line)
    if (isFirst) {
      this.#names = namesOf(fields)
      if (this.#names) return undefined
      if (isAddress(fields[0] ?? '')) this.#names = BY_PLACE
    }
    const names = this.#names
    // A guess would put passwords where they are shown.
    if (!names) throw new SyntaxError(HINT)
    // A comma in a password that is not quoted would put the rest of it into the next column.
    if (fields.slice(names.length).some((field) => field !== ''))
      throw new SyntaxError(`The line has ${fields.length} fields, and ${names.length} columns are named.`)
    return valuesOf(names, fields)
  }
}

function namesOf(fields: readonly string[]): (string | undefined)[] | undefined {
  const given = fields.map((field) => field.toLowerCase().replaceAll(/[\s-]+/g, '_'))
  const names = given.map((name) => (Object.hasOwn(NAMES, name) ? NAMES[name] : undefined))
  return names.includes('url') || (names.includes('host') && names.includes('port')) ? names : undefined
}

function valuesOf(names: readonly (string | undefined)[], fields: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (const [i, name] of names.entries()) if (name !== undefined) values[name] ||= fields[i] ?? ''
  const { host = '', port = '', protocol = '', ...rest } = values
  if (rest['url']) return rest
  const address = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
  return { ...rest, url: protocol === '' ? address : `${protocol}://${address}` }
}

/** With a port: a word alone may be the name of a column. */
function isAddress(field: string): boolean {
  return /^[^\s,]+:\d{1,5}(?:\/?$|:)/.test(field)
}
