import { invalidOption } from '../errors.ts'

/** Refuses what is no list of table names; each once. Errors: `invalid-option`. */
export function checkTables(tables: unknown, option: string): readonly string[] {
  const fits = Array.isArray(tables) && tables.length > 0 && tables.every((it) => typeof it === 'string' && it !== '')
  if (!fits) throw invalidOption(option, 'an array of at least one table name', tables)
  return Object.freeze([...new Set(tables as string[])])
}
