import { mkdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { PGlite, types } from '@electric-sql/pglite'
import type { Database, Queries } from './database.ts'

/** PostgreSQL inside this process. Without a folder it is gone when it is closed. */
export async function openEmbedded(schema: string, dataDir: string | undefined): Promise<Database> {
  const unlock = dataDir === undefined ? () => {} : lock(dataDir)
  try {
    const parsers = { [types.INT8]: Number, [types.DATE]: (text: string) => text }
    const lite: PGlite = await PGlite.create({ ...(dataDir === undefined ? {} : { dataDir }), parsers })
    await lite.exec(`set search_path = ${schema}; set timezone = 'UTC'`)
    const close = async (): Promise<void> => {
      if (!lite.closed) await lite.close()
      unlock()
    }
    return {
      kind: 'pglite',
      schema,
      client: lite,
      listenSource: lite,
      query: (text, values) => rowsOf(lite, text, values),
      script: async (statements) => void (await lite.exec(statements)),
      transaction: (work) =>
        lite.transaction((tx) => work({ query: (text, values) => rowsOf(tx, text, values) } satisfies Queries)),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    unlock()
    throw error
  }
}

/**
 * Two processes that write one embedded database destroy it. The lock lies on a SQLite file beside it: the system gives it
 * back when its process dies.
 */
function lock(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true })
  const file = new DatabaseSync(`${dataDir}.lock`)
  try {
    file.exec('begin exclusive')
  } catch (cause) {
    file.close()
    const message = `Another process has the embedded database ${dataDir} open. Stop it first, or set DATABASE_URL to a server.`
    throw new Error(message, { cause })
  }
  return () => {
    if (file.isOpen) file.close()
  }
}

async function rowsOf<R extends object>(
  client: Pick<PGlite, 'query'>,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  return (await client.query<R>(text, [...values])).rows
}
