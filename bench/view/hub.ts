// A database as the view is made for: the tables of a coordination hub, filled.

import { Pool } from 'pg'
import { installRevisions, removeRevisions } from 'tidemark/postgres'

/** Where PostgreSQL is. */
const URL = process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test'

/** Tables and how many rows they have. */
const TABLES = {
  domains: 14,
  topics: 20,
  managed_repos: 55,
  workplans: 300,
  tasks: 3_000,
  decisions: 150,
  workplan_dependencies: 120,
  contributions: 40,
  capability_requests: 60,
  extension_points: 40,
  technical_debt: 80,
  sbom_snapshots: 200,
  progress_events: 20_000,
} as const

/** A table of the hub. */
export type TableName = keyof typeof TABLES

/** All tables, and those that change often. */
export const PROGRESS: readonly TableName[] = ['progress_events']
export const CORE: readonly TableName[] = (Object.keys(TABLES) as TableName[]).filter((it) => !PROGRESS.includes(it))

/** A hub in a schema of its own. */
export interface Hub {
  readonly pool: Pool
  readonly schema: string
  /** The schema the triggers count in. */
  readonly own: string
}

/** Makes a hub, runs work with it, and takes it away again. `isIndexed`: with an index on the times. */
export async function withHub<T>(isIndexed: boolean, work: (hub: Hub) => Promise<T>): Promise<T> {
  const schema = `tidemark_bench_${process.pid}`
  const own = `${schema}_own`
  const pool = new Pool({ connectionString: URL, options: `-c search_path=${schema}`, max: 10 })
  try {
    await pool.query(`create schema ${schema}`)
    for (const [table, rows] of Object.entries(TABLES)) {
      await pool.query(`create table ${table} (
        id uuid primary key default gen_random_uuid(), title text, status text,
        created_at timestamptz not null default now(), updated_at timestamptz not null default now())`)
      await pool.query(`insert into ${table} (title, status, updated_at)
        select 'title ' || i, 'open', now() - i * interval '1 minute' from generate_series(1, ${rows}) i`)
      if (isIndexed) await pool.query(`create index on ${table} (updated_at)`)
    }
    await pool.query('analyze')
    await installRevisions(pool, { tables: Object.keys(TABLES), schema: own, notify: true })
    return await work({ pool, schema, own })
  } finally {
    await removeRevisions(pool, { schema: own })
    await pool.query(`drop schema if exists ${schema} cascade`)
    await pool.end()
  }
}

/** What was done before: the newest time of each table, one query after the other. */
export async function askedOneByOne({ pool }: Hub): Promise<string> {
  const client = await pool.connect()
  try {
    const newest: unknown[] = []
    for (const table of [...CORE, ...PROGRESS]) {
      const { rows } = await client.query<{ max: Date }>(`select max(updated_at) from ${table}`)
      newest.push(rows[0]?.max.toISOString())
    }
    return newest.join('|')
  } finally {
    client.release()
  }
}
