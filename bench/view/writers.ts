// What the triggers cost whoever writes.

import { Client } from 'pg'
import { installRevisions, removeRevisions } from 'tidemark/postgres'
import type { Table } from '../report.ts'
import { inTurns, rowsAgainst, type Contender } from '../rounds.ts'
import type { Hub } from './hub.ts'

const CLIENTS = 16
const WRITES = 60
const TURNS = { rounds: 9, warmUp: 2 }
const BARE = 'no triggers'

/** Sixteen connections that update one row each, again and again, a transaction each time. */
export async function writers({ pool, schema }: Hub): Promise<{ tables: Table[] }> {
  const own = `${schema}_write`
  const kinds = ['bare', 'counters', 'snapshot'] as const
  for (const kind of kinds) {
    await pool.query(`create table ${kind}_rows (id int primary key, n int not null)`)
    await pool.query(`insert into ${kind}_rows select i, 0 from generate_series(1, ${CLIENTS}) i`)
    if (kind !== 'bare') await installRevisions(pool, { tables: [`${kind}_rows`], mode: kind, schema: own })
  }
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const client = new Client({ ...pool.options })
      await client.connect()
      return client
    }),
  )
  const contender = (kind: (typeof kinds)[number], label: string): Contender => ({
    label,
    run: async () => {
      const statement = { name: `write_${kind}`, text: `update ${kind}_rows set n = n + 1 where id = $1` }
      const begun = performance.now()
      await Promise.all(
        clients.map(async (client, i) => {
          for (let n = 0; n < WRITES; n++) await client.query({ ...statement, values: [i + 1] })
        }),
      )
      return ((performance.now() - begun) * 1e6) / (CLIENTS * WRITES)
    },
  })
  const measured = await inTurns(
    [contender('bare', BARE), contender('counters', 'mode counters'), contender('snapshot', 'mode snapshot')],
    TURNS,
  )
  await Promise.all(clients.map((client) => client.end()))
  await removeRevisions(pool, { schema: own })
  const title = `one-row transactions over ${CLIENTS} connections`
  return { tables: [{ title, unit: 'µs', against: BARE, rows: rowsAgainst(measured, BARE, 1_000) }] }
}
