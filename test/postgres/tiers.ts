import { postgres, type NodePgClient, type PostgresOptions } from 'tidemark/postgres'
import { FakeClock } from 'tidemark/testing'
import { memberOf, type Member, type Members } from '../tier/member.ts'
import { emptyPlaces, schemasOver, type Schemas } from './schemas.ts'

/** Several processes' tiers over one schema, and the PostgreSQL behind them. */
export interface Group extends Members {
  readonly schema: string
  /** What its members' statements go through; it waits until the schema is empty. */
  readonly client: NodePgClient
  readonly join: (options?: Partial<PostgresOptions> & { readonly budgetMs?: number }) => Member
  /** What a statement says; `$` stands for the schema. */
  readonly rows: (sql: string) => Promise<Record<string, unknown>[]>
}

/** No test has as many groups. */
const SCHEMAS = 3

/** Makes groups over one PostgreSQL, each empty at first. */
export function groupsOver(url: string, schemas: Schemas = schemasOver(url)): () => Group {
  const placeOf = emptyPlaces(schemas, SCHEMAS)
  const { pool } = schemas
  let groups = 0
  return () => {
    const { client, schema } = placeOf(groups++)
    const clock = new FakeClock()
    return {
      schema,
      client,
      clock,
      join: ({ budgetMs, ...options } = {}) => memberOf(postgres({ client, schema, ...options }), clock, budgetMs),
      rows: async (sql) => (await pool.query<Record<string, unknown>>(sql.replaceAll('$.', `${schema}.`))).rows,
    }
  }
}
