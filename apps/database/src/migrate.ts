import type { Database } from './database.ts'

/** One step of a schema. A step that was released is never changed; a new one is added. */
export interface Migration {
  /** Says what it does; its place in the list is its number. */
  readonly title: string
  /** Its statements, each without parameters. */
  readonly statements: readonly string[]
}

/**
 * Makes the schema when it is missing, and takes the steps it has not taken yet, each in a transaction, one process after
 * the other. Returns how many there were. Errors: what the database says; an `Error` when it is ahead of this program.
 */
export async function migrate(database: Database, steps: readonly Migration[]): Promise<number> {
  await prepare(database)
  let taken = 0
  for (const [i, { statements }] of steps.entries()) {
    const isNew = await database.transaction(async ({ query }) => {
      await query('lock table schema_steps in exclusive mode')
      const [row] = await query<{ last: number }>('select coalesce(max(number), 0)::int as last from schema_steps')
      const last = row?.last ?? 0
      if (last > steps.length)
        throw new Error(
          `The schema ${database.schema} is of a later version (${last}) than this program (${steps.length}).`,
        )
      if (last > i) return false
      for (const statement of statements) await query(statement)
      await query('insert into schema_steps (number, title) values ($1, $2)', [i + 1, steps[i]?.title])
      return true
    })
    if (isNew) taken++
  }
  return taken
}

async function prepare(database: Database): Promise<void> {
  const { schema } = database
  const table = `${schema}.schema_steps`
  // Who may use a schema need not be allowed to make one.
  const [found] = await database.query<{ table: string | null }>('select to_regclass($1)::text as table', [table])
  if (found?.table) return
  await database.transaction(async ({ query }) => {
    // `if not exists` alone fails for two who make the same thing at the same moment.
    await query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`tidemark ${table}`])
    await query(`create schema if not exists ${schema}`)
    await query(
      `create table if not exists ${table} (number int primary key, title text not null, taken_at timestamptz not null default now())`,
    )
  })
}
