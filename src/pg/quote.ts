import { invalidOption } from '../errors.ts'

/** A name as SQL writes it, whatever is in it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as SQL writes it, whatever the server's settings are. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** The schema our own tables lie in. Errors: `invalid-option`. */
export function resolveSchema(schema: unknown, option: string): string {
  if (schema === undefined) return DEFAULT_SCHEMA
  if (typeof schema === 'string' && /^[a-z_][a-z0-9_]{0,62}$/.test(schema)) return schema
  throw invalidOption(option, 'a name of small letters, digits and underscores', schema)
}

/** Our own tables lie in this schema unless another one is named. */
export const DEFAULT_SCHEMA = 'tidemark'
