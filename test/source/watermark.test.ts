// The mode for databases that may not be altered: what it sees, and, so that nobody is surprised, what it does not.

import { beforeEach, describe, expect, it } from 'vitest'
import { pgRevision, type PgRevision, type PgRevisionOptions } from 'tidemark/postgres'
import { readRevisions } from '../../src/source/read-revisions.ts'
import { eachClient, onPostgres, plainTables } from './postgres.ts'

const { signal } = new AbortController()
const tell = async (revision: PgRevision): Promise<string> =>
  (await readRevisions([revision], signal)).revisions[0] as string

async function isSeen(revision: PgRevision, work: () => Promise<unknown>): Promise<boolean> {
  const before = await tell(revision)
  await work()
  return (await tell(revision)) !== before
}

await eachClient((database) => {
  const run = (sql: string): Promise<void> => database.run(sql)
  const watermark = (options: Partial<PgRevisionOptions> = {}): PgRevision =>
    pgRevision(['topics'], { client: database.client, mode: 'watermark', rebuildEvery: '1w', ...options })
  const ago = (minutes: number): string => `now() - interval '${minutes} minutes'`

  beforeEach(async () => {
    await plainTables(database, 'topics')
    await run(`insert into topics select i, 0, ${ago(60)} from generate_series(1, 5) i`)
    await run(`insert into topics values (6, 0, ${ago(1)})`)
  })

  it('says of itself what it may miss', () => {
    expect(watermark().caveat).toBe('may miss deletes and late commits')
    expect(pgRevision(['topics'], { client: database.client }).caveat).toBeUndefined()
  })

  it('sees what moves the newest time or the count', async () => {
    expect(await isSeen(watermark(), async () => {})).toBe(false)
    expect(await isSeen(watermark(), () => run('insert into topics values (7)'))).toBe(true)
    expect(await isSeen(watermark(), () => run('update topics set x = 1, updated_at = now() where id = 1'))).toBe(true)
    expect(await isSeen(watermark(), () => run('delete from topics where id = 2'))).toBe(true)
    expect(await isSeen(watermark(), () => run('truncate topics'))).toBe(true)
    expect(await isSeen(watermark(), () => run(`insert into topics values (8, 0, ${ago(60)})`))).toBe(true)
  })

  it('sees a change that is a little older than the newest, within the overlap', async () => {
    const change = (minutes: number) => () => run(`update topics set x = 1, updated_at = ${ago(minutes)} where id = 1`)
    expect(await isSeen(watermark({ overlap: '10m' }), change(5))).toBe(true)
    expect(await isSeen(watermark({ overlap: '1m' }), change(6))).toBe(false)
  })

  it('misses a delete that is made up for by an insert of old rows', async () => {
    const swap = `begin; delete from topics where id = 1; insert into topics values (9, 0, ${ago(50)}); commit`
    expect(await isSeen(watermark(), () => run(swap))).toBe(false)
  })

  it('misses what does not touch the column', async () => {
    expect(await isSeen(watermark(), () => run('update topics set x = 9'))).toBe(false)
  })

  it('takes the column it is told, for all tables or by table', async () => {
    await run('alter table topics rename updated_at to "changed At"')
    const insert = (): Promise<void> => run('insert into topics values (7)')
    expect(await isSeen(watermark({ column: 'changed At' }), insert)).toBe(true)
    expect(await isSeen(watermark({ column: { topics: 'changed At' } }), insert)).toBe(true)
    await expect(tell(watermark())).rejects.toMatchObject({ code: '42703' })
  })
})

await onPostgres((database) => {
  it('misses a commit that comes later than the overlap', async () => {
    await plainTables(database, 'topics')
    await database.run("insert into topics values (1, 0, now() - interval '1 day'), (2, 0, now())")
    const revision = pgRevision(['topics'], { client: database.pool, mode: 'watermark', rebuildEvery: '1w' })
    const late = await database.connect()
    await late.query("begin; update topics set x = 1, updated_at = now() - interval '5 minutes' where id = 1")
    expect(await isSeen(revision, () => late.query('commit'))).toBe(false)
    await late.end()
  })

  it('everything counts as changed after rebuildEvery, for what was missed', async () => {
    await plainTables(database, 'topics')
    const client = await database.connect()
    // The database's own clock decides, so that all processes agree; here it is one that can be set.
    await client.query(`set search_path = ${database.schema}, pg_catalog`)
    const setClock = (seconds: number) =>
      client.query(
        `create or replace function now() returns timestamptz language sql as 'select to_timestamp(${seconds})'`,
      )
    const revision = pgRevision(['topics'], { client, mode: 'watermark', rebuildEvery: '10m' })
    await setClock(600_000)
    await tell(revision)
    expect(await isSeen(revision, () => setClock(600_599))).toBe(false)
    expect(await isSeen(revision, () => setClock(600_600))).toBe(true)
    await client.query('drop function now()')
    await client.end()
  })
})

describe('one section', () => {
  it('is told in the words of its own table', () => {
    const client = { query: async () => ({ rows: [] }) }
    expect(pgRevision(['a', 'b', 'a'], { client, mode: 'watermark' }).tables).toEqual(['a', 'b'])
  })
})
