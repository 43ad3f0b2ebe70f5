import { invalidOption } from '../../errors.ts'

/** `DatabaseSync` of `node:sqlite`, by what we call of it. */
export interface SqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): { get(...values: string[]): unknown; all(...values: string[]): unknown[] }
  /** The file it was opened from; `null` for one in memory. */
  location(): string | null
  readonly isTransaction: boolean
}

/** Refuses what is no `DatabaseSync`. Errors: `invalid-option`. */
export function checkDatabase(value: unknown, where: string): void {
  const fits =
    typeof value === 'object' && value !== null && 'prepare' in value && 'exec' in value && 'location' in value
  if (!fits) throw invalidOption(`${where}.database`, 'a DatabaseSync of node:sqlite', value)
}
