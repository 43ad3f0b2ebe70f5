import { PGlite } from '@electric-sql/pglite'
import postgresJs from 'postgres'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { postgres } from 'tidemark/postgres'
import { testTier } from 'tidemark/testing'
import { emptyTables, schemasOver } from '../postgres/schemas.ts'
import { requireService } from '../services.ts'

await requireService('postgres', (url) => {
  const { pool: client, next, empty } = schemasOver(url)
  const schema = next()
  const make = async () => {
    await empty(schema)
    // Room for the suite's largest value.
    return postgres({ client, schema, maxEntryBytes: 128 * 1024 * 1024 })
  }

  testTier('postgres through pg', make, { test: it })

  describe('another client', () => {
    const sql = postgresJs(url, { onnotice: () => {}, max: 10 })
    const other = next()
    afterAll(() => sql.end())
    const makeOver = async () => {
      await empty(other)
      return postgres({ client: sql, schema: other, maxEntryBytes: 128 * 1024 * 1024 })
    }

    testTier('postgres through postgres.js', makeOver, { test: it })
  })
})

describe('in the process', () => {
  let client: PGlite
  beforeAll(async () => {
    client = await PGlite.create()
  }, 60_000)
  afterAll(() => client.close())
  const make = async () => {
    await emptyTables((sql) => client.exec(sql), 'tidemark_cache')
    return postgres({ client })
  }

  testTier('postgres through PGlite', make, { test: it, maxValueBytes: 4 * 1024 * 1024 })
})
