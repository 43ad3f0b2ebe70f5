// Schemas of the tests' own in the PostgreSQL everyone uses; they are gone when the file is over.

import { Pool } from 'pg'
import { afterAll } from 'vitest'
import type { NodePgClient } from 'tidemark/postgres'

const TABLES = ['names', 'entries', 'changes', 'claims', 'place']

/** A pool, and schemas for it. */
export interface Schemas {
  readonly url: string
  readonly pool: Pool
  /** A schema that is not there yet. */
  readonly next: () => string
  /** Empties the tables of a schema, if they are there: as after a crash of PostgreSQL. */
  readonly empty: (schema: string) => Promise<void>
}

/** A schema that takes its turn, and a client that waits until it is empty. */
export interface Place {
  readonly schema: string
  readonly client: NodePgClient
}

let files = 0
let waiting = 0

/** True when nothing that was asked of {@link emptyPlaces} waits for its answer. */
export function postgresIsIdle(): boolean {
  return waiting === 0
}

/** Schemas for one file of tests. */
export function schemasOver(url: string): Schemas {
  const run = `tidemark_test_${process.pid}_${Math.random().toString(36).slice(2, 8)}_${files++}`
  const pool = new Pool({ connectionString: url, max: 10 })
  const schemas: string[] = []
  afterAll(async () => {
    for (const schema of schemas) await pool.query(`drop schema if exists ${schema} cascade`)
    await pool.end()
  }, 60_000)
  return {
    url,
    pool,
    next: () => {
      const schema = `${run}_${schemas.length}`
      schemas.push(schema)
      return schema
    },
    empty: (schema) => emptyTables((sql) => pool.query(sql), schema),
  }
}

/** Places that are empty at first. They take turns with `count` schemas, because making one takes longer than most tests. */
export function emptyPlaces({ next, empty, pool }: Schemas, count: number): (place: number) => Place {
  const schemas = Array.from({ length: count }, next)
  const places = new Map<number, Place>()
  const open = (schema: string): Place => {
    const isEmpty = empty(schema)
    const query: NodePgClient['query'] = async (config) => {
      waiting++
      try {
        await isEmpty
        return await pool.query(config)
      } finally {
        waiting--
      }
    }
    return { schema, client: { query } }
  }
  return (place) => {
    const found = places.get(place) ?? open(schemas[place % count] as string)
    places.set(place, found)
    return found
  }
}

/** Empties the tables of a schema, if they are there. */
export async function emptyTables(run: (sql: string) => Promise<unknown>, schema: string): Promise<void> {
  const tables = TABLES.map((table) => `${schema}.${table}`).join(', ')
  await run(`do $$ begin if to_regclass('${schema}.place') is not null then truncate ${tables}; end if; end $$`)
}
