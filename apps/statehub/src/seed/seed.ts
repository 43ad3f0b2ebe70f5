import type { Database } from '@tidemark/database'
import { ALL_TABLES } from '../database/tables.ts'
import { seedRows } from './rows.ts'

/** Options of {@link seed}. */
export interface SeedOptions {
  /** The same number gives the same hub. Defaults to 1. */
  readonly seed?: number | undefined
  /** Milliseconds since 1970; everything happened before. Defaults to now. */
  readonly now?: number | undefined
  /** Told after each slice, with how many rows there will be. */
  readonly onProgress?: ((done: number, total: number, table: string) => void) | undefined
}

const SLICE = 1_000

/** Fills a hub; what was in it is gone. All or nothing. Returns how many rows there are. */
export async function seed(database: Database, options: SeedOptions = {}): Promise<number> {
  const tables = [...seedRows(options.seed ?? 1, options.now ?? Date.now())]
  const total = tables.reduce((sum, [, rows]) => sum + rows.length, 0)
  let done = 0
  await database.transaction(async ({ query }) => {
    await query(`truncate ${ALL_TABLES.join(', ')}`)
    for (const [table, rows] of tables) {
      const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
      for (let from = 0; from < rows.length; from += SLICE) {
        const slice = rows.slice(from, from + SLICE)
        await query(
          `insert into ${table} (${columns.join(', ')})
            select ${columns.join(', ')} from json_populate_recordset(null::${table}, $1)`,
          [JSON.stringify(slice)],
        )
        options.onProgress?.((done += slice.length), total, table)
      }
    }
  })
  // What the planner knows is from before.
  await database.query('analyze')
  return total
}

/** Fills a hub that has nothing in it yet. Returns how many rows were made. */
export async function seedIfEmpty(database: Database, options?: SeedOptions): Promise<number> {
  const [row] = await database.query<{ found: boolean }>('select exists (select from topics) as found')
  return row?.found === true ? 0 : seed(database, options)
}
