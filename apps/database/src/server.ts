import { Client, Pool, TypeOverrides } from 'pg'
import type { Database, Queries } from './database.ts'

const CONNECTIONS_MAX = 10
const CONNECT_MS_MAX = 5_000
/** The server cancels a statement in time and says so; so much later nobody waits for that any more. */
const ANSWER_MS_MAX = 250
/** A connection nobody uses is asked so soon whether the other end is there: one that was cut off silently says nothing. */
const KEEP_ALIVE_MS = 10_000
const INT8 = 20
const DATE = 1082

/** A database on a server; connections are made when they are needed. */
export function openServer(schema: string, url: string, timeoutMs: number | undefined): Database {
  const types = new TypeOverrides()
  types.setTypeParser(INT8, Number)
  // A day has no time zone; a Date would give it one.
  types.setTypeParser(DATE, (text) => text)
  const limit = timeoutMs === undefined ? '' : ` -c statement_timeout=${timeoutMs}`
  const options = {
    connectionString: url,
    options: `-c search_path=${schema} -c timezone=UTC${limit}`,
    connectionTimeoutMillis: Math.min(timeoutMs ?? CONNECT_MS_MAX, CONNECT_MS_MAX),
    ...(timeoutMs === undefined ? undefined : { query_timeout: timeoutMs + ANSWER_MS_MAX }),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    application_name: `tidemark ${schema}`,
    types,
  }
  const pool = new Pool({ ...options, max: CONNECTIONS_MAX })
  // A connection nobody uses was lost: the pool makes another one. Without a listener it would end the process.
  pool.on('error', () => {})
  const close = (): Promise<void> => pool.end()
  return {
    kind: 'postgres',
    schema,
    client: pool,
    listenSource: async () => {
      const client = new Client(options)
      await client.connect()
      return client
    },
    query: (text, values) => rowsOf(pool, text, values),
    script: async (statements) => void (await pool.query(statements)),
    transaction: (work) => inTransaction(pool, work),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function inTransaction<T>(pool: Pool, work: (queries: Queries) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    const result = await work({ query: (text, values) => rowsOf(client, text, values) })
    const { command } = await client.query('commit')
    // PostgreSQL answers a commit of what has failed with a rollback.
    if (command === 'ROLLBACK') throw new Error('The transaction was rolled back: one of its statements had failed.')
    return result
  } catch (error) {
    await client.query('rollback').catch((lost: Error) => (broken = lost))
    throw error
  } finally {
    client.release(broken)
  }
}

async function rowsOf<R extends object>(
  client: Pick<Pool, 'query'>,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  return (await client.query<R>(text, [...values])).rows
}
