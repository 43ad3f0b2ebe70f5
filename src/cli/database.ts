import { DatabaseSync } from 'node:sqlite'
import type { NodePgClient } from '../pg/client.ts'
import { UsageError, type CommandContext } from './command.ts'
import { importFromProject } from './project-package.ts'

/** The options that name the database. */
export const DATABASE_OPTIONS = {
  url: { type: 'string' },
  sqlite: { type: 'string' },
  schema: { type: 'string' },
} as const

/** How they are written. */
export const DATABASE_USAGE = '[--url postgres://… | --sqlite FILE] [--schema NAME]'

interface PgModule {
  readonly Client: new (options: object) => Connection
  readonly Pool: new (options: object) => NodePgClient & { end(): Promise<void> }
}

interface Connection extends NodePgClient {
  connect(): Promise<unknown>
  end(): Promise<void>
}

/** Runs work on the database that was named: a SQLite file, or PostgreSQL at `--url` or `DATABASE_URL`. */
export async function onDatabase<T>(
  { values, env }: CommandContext,
  work: {
    readonly postgres: (client: NodePgClient, schema: string | undefined) => Promise<T>
    readonly sqlite: (database: DatabaseSync) => T
  },
): Promise<T> {
  const { url = env['DATABASE_URL'], sqlite, schema } = values as Readonly<Record<string, string | undefined>>
  if (sqlite !== undefined) {
    if (schema !== undefined || values['url'] !== undefined)
      throw new UsageError('--sqlite goes with neither --url nor --schema.')
    const database = new DatabaseSync(sqlite, { timeout: 5_000 })
    try {
      return work.sqlite(database)
    } finally {
      database.close()
    }
  }
  if (url === undefined || url === '') throw new UsageError('Name the database: --url, DATABASE_URL, or --sqlite FILE.')
  const client = await connect(url)
  try {
    return await work.postgres(client, schema)
  } finally {
    await client.end()
  }
}

/** Several connections to PostgreSQL, made as they are needed; whoever asked ends them. Errors: {@link UsageError} without `pg`. */
export async function poolOf(url: string): Promise<NodePgClient & { end(): Promise<void> }> {
  const { Pool } = await loadPg()
  return new Pool({ connectionString: url, application_name: 'tidemark', max: 4 })
}

async function connect(url: string): Promise<Connection> {
  const { Client } = await loadPg()
  const client = new Client({ connectionString: url, application_name: 'tidemark' })
  await client.connect()
  return client
}

/** `pg` of the project the command is run in. */
async function loadPg(): Promise<PgModule> {
  const loaded = await importFromProject('pg')
  if (loaded === undefined)
    throw new UsageError('The package pg is needed for this: npm install pg. It was not found from this folder.')
  return (loaded as { default: PgModule }).default
}
