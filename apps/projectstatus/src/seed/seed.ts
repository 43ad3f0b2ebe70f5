import { migrate, type Database } from '@tidemark/database'
import { MIGRATIONS } from '../database/schema.ts'
import { seedRows } from './rows.ts'

/** So that progress is seen. */
const ROWS_A_STATEMENT = 200

/** How many rows were added: none where they were there already. */
export interface SeedReport {
  readonly vendors: number
  readonly workItems: number
  readonly deployments: number
}

/** Makes the tables and fills them. Rows that are there already stay as they are. */
export async function seed(
  database: Database,
  progress: (done: number, total: number, table: string) => void = () => {},
): Promise<SeedReport> {
  await migrate(database, MIGRATIONS)
  const { vendors, workItems, deployments } = seedRows()
  const total = vendors.length + workItems.length + deployments.length
  let done = 0
  const add = async (table: string, rows: readonly object[]): Promise<number> => {
    let added = 0
    for (let i = 0; i < rows.length; i += ROWS_A_STATEMENT) {
      const slice = rows.slice(i, i + ROWS_A_STATEMENT)
      added += await insert(database, table, slice)
      done += slice.length
      progress(done, total, table)
    }
    return added
  }
  return {
    vendors: await add('vendor_extractors', vendors),
    workItems: await add('work_items', workItems),
    deployments: await add('deployment_events', deployments),
  }
}

async function insert(database: Database, table: string, rows: readonly object[]): Promise<number> {
  const columns = Object.keys(rows[0] ?? {})
  // One value for all rows: PostgreSQL gives each column its own type back.
  const added = await database.query(
    `insert into ${table} (${columns.join(', ')})
     select ${columns.join(', ')} from jsonb_populate_recordset(null::${table}, $1::jsonb)
     on conflict do nothing returning id`,
    [JSON.stringify(rows)],
  )
  return added.length
}
