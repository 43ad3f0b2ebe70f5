// The clients that can be handed in, by what we call of them. None of them is imported.

import { AsyncLocalStorage } from 'node:async_hooks'

/** A row as every client gives it. */
export type PgRow = Readonly<Record<string, unknown>>

/** `Pool` or `Client` of `pg`. */
export interface NodePgClient {
  query(config: { name?: string; text: string; values?: unknown[]; query_timeout?: number }): Promise<{ rows: PgRow[] }>
}

/** `PGlite` of `@electric-sql/pglite`. */
export interface PgliteClient {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
  exec(script: string): Promise<unknown>
}

/** `postgres()` of postgres.js. */
export interface PostgresJsClient {
  unsafe(text: string, values?: never[], options?: { prepare?: boolean }): PromiseLike<ArrayLike<unknown>>
}

/** A client of the application. A pool, or a connection on which no transaction is left open. */
export type PgClient = NodePgClient | PgliteClient | PostgresJsClient

/** One statement. With a `name` it is planned once a connection, where the client can do that. */
export interface Statement {
  readonly name?: string
  readonly text: string
  readonly values: readonly unknown[]
}

/** After how many milliseconds the statements that are asked for here are given up. */
const patience = new AsyncLocalStorage<number>()

/**
 * Gives up the statements that `ask` asks for after so long, with their connections, where the client can do that (`pg`): one
 * that was cut off silently would be taken for ever, and be asked again when a pool has no other.
 */
export function givingUpAfter<T>(ms: number, ask: () => T): T {
  return patience.run(ms, ask)
}

/** True for what looks like one of the clients. */
export function isPgClient(value: unknown): value is PgClient {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return ('query' in value && typeof value.query === 'function') || isPostgresJs(value as PgClient)
}

/** Runs one statement and returns its rows. */
export async function runStatement(client: PgClient, { name, text, values }: Statement): Promise<readonly PgRow[]> {
  if (isPostgresJs(client)) {
    const rows = await client.unsafe(text, [...values] as never[], { prepare: name !== undefined })
    return Array.from(rows) as PgRow[]
  }
  if (isPglite(client)) return (await client.query(text, [...values])).rows as PgRow[]
  const giveUpMs = patience.getStore()
  return (
    await client.query({
      text,
      values: [...values],
      ...(name === undefined ? undefined : { name }),
      ...(giveUpMs === undefined ? undefined : { query_timeout: giveUpMs }),
    })
  ).rows
}

/** Runs several statements without parameters; all of them take effect, or none. */
export async function runScript(client: PgClient, script: string): Promise<void> {
  // Sent as one simple query, they are one transaction.
  if (isPostgresJs(client)) await client.unsafe(script)
  else if (isPglite(client)) await client.exec(`begin;\n${script}\ncommit;`).catch((error) => rolledBack(client, error))
  else await client.query({ text: script })
}

async function rolledBack(client: PgliteClient, error: unknown): Promise<never> {
  await client.exec('rollback')
  throw error
}

function isPostgresJs(client: PgClient): client is PostgresJsClient {
  return 'unsafe' in client && typeof client.unsafe === 'function'
}

function isPglite(client: NodePgClient | PgliteClient): client is PgliteClient {
  return 'exec' in client && typeof client.exec === 'function'
}
