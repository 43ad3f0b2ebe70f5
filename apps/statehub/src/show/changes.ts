// What can happen to a hub behind the back of its cache, and what the very next read must make of it.

import type { Database, Queries } from '@tidemark/database'
import { renewRevisions } from 'tidemark/postgres'
import { revisionSchema } from '../database/open.ts'
import type { Snapshot } from '../summary/snapshot.ts'
import type { StateSummary } from '../summary/state-summary.ts'
import { isTrue } from './truth.ts'

/** One thing that happens. */
export interface Change {
  readonly what: string
  /** What the next read must find: the data as it is now, or that nothing has moved. */
  readonly becomes: 'seen' | 'a hit'
  /** Watermarks may miss it. */
  readonly isMissedByWatermarks?: true
  /** What has to be there before. */
  readonly prepare?: (database: Database) => Promise<unknown>
  /** Reads the summary in between; resolves when what happens is committed, or rolled back. */
  readonly happens: (database: Database, read: () => Promise<Snapshot>) => Promise<unknown>
}

const OPEN = "(select id from workplans where status = 'active' order by id limit 1)"
/** One that nobody else here touches. */
const OTHER = "(select id from workplans where status = 'active' order by id desc limit 1)"
const TITLE = `update workplans set title = title || '!'`

/** All of them, those that take most away last. */
export const CHANGES: readonly Change[] = [
  {
    what: 'an insert',
    becomes: 'seen',
    happens: ({ query }) => query(`insert into progress_events (event_type, summary) values ('note', 'shown')`),
  },
  {
    what: 'an update',
    becomes: 'seen',
    happens: ({ query }) => query(`${TITLE}, updated_at = now() where id = ${OPEN}`),
  },
  {
    what: 'an update that does not touch updated_at',
    becomes: 'seen',
    isMissedByWatermarks: true,
    happens: ({ query }) => query(`${TITLE} where id = ${OPEN}`),
  },
  {
    what: 'a bulk update',
    becomes: 'seen',
    happens: ({ query }) =>
      query(`update tasks set status = 'done', updated_at = now() where id in (
        select id from tasks where status <> 'done' order by id limit 500)`),
  },
  {
    what: 'a delete',
    becomes: 'seen',
    happens: ({ query }) => query('delete from tasks where id in (select id from tasks order by id limit 1)'),
  },
  {
    what: 'a delete, and an insert of an old row in its place',
    becomes: 'seen',
    isMissedByWatermarks: true,
    happens: (database) => database.transaction(replaceOldTask),
  },
  {
    what: 'a transaction that began before the snapshot and commits after it',
    becomes: 'seen',
    isMissedByWatermarks: true,
    happens: commitLate,
  },
  {
    what: 'a write that is rolled back',
    becomes: 'a hit',
    happens: (database) =>
      rolledBack(database, ({ query }) => query(`${TITLE}, updated_at = now() where id = ${OPEN}`)),
  },
  {
    what: 'a write that is rolled back to a savepoint',
    becomes: 'a hit',
    happens: (database) =>
      database.transaction(async ({ query }) => {
        await query('savepoint before')
        await query(`${TITLE}, updated_at = now() where id = ${OPEN}`)
        await query('rollback to savepoint before')
      }),
  },
  {
    what: 'a restore that brings the counters of yesterday with it',
    becomes: 'seen',
    isMissedByWatermarks: true,
    happens: restore,
  },
  {
    what: 'a truncate',
    becomes: 'seen',
    prepare: ({ query }) =>
      query(`insert into sbom_entries (snapshot_id, ecosystem, package)
        select id, 'npm', 'shown' from sbom_snapshots order by snapshot_at desc limit 1`),
    happens: ({ query }) => query('truncate sbom_entries'),
  },
]

/** What a change came to: what the next read was, and whether that was right. */
export interface Outcome {
  readonly told: 'seen' | 'missed' | 'a hit'
  readonly isRight: boolean
}

/** Lets one thing happen and reads. The summary must have `maxStaleMs: 0`, so that a read that sees waits for the build. */
export async function outcomeOf(change: Change, summary: StateSummary, database: Database): Promise<Outcome> {
  const read = async (): Promise<Snapshot> => (await summary.resolve()).value
  await change.prepare?.(database)
  await summary.resolve({ refresh: true })
  const { status: before } = await summary.resolve()
  if (before !== 'hit') throw new Error(`Expected a hit before '${change.what}', got ${before}.`)
  await change.happens(database, read)
  const { status, value } = await summary.resolve()
  const isNow = await isTrue(value, database)
  const told = isNow ? (status === 'hit' ? 'a hit' : 'seen') : 'missed'
  return { told, isRight: told === change.becomes }
}

async function replaceOldTask({ query }: Queries): Promise<void> {
  await query('delete from tasks where id in (select id from tasks where status = $1 order by id limit 1)', ['done'])
  const at = '2020-01-01T00:00:00Z'
  await query(
    `insert into tasks (workplan_id, title, status, created_at, updated_at)
      select id, 'restored', 'todo', $1, $1 from workplans order by id limit 1`,
    [at],
  )
}

/** Its rows are stamped with the moment it began, two minutes ago; others commit and are read in between. */
async function commitLate(database: Database, read: () => Promise<Snapshot>): Promise<void> {
  await database.transaction(async (late) => {
    await late.query(`${TITLE}, updated_at = now() - interval '2 minutes' where id = ${OTHER}`)
    await database.query(`insert into progress_events (event_type, summary) values ('note', 'meanwhile')`)
    await read()
  })
}

async function rolledBack(database: Database, work: (queries: Queries) => Promise<unknown>): Promise<void> {
  const undone = new Error('rolled back')
  await database
    .transaction(async (queries) => {
      await work(queries)
      throw undone
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error
    })
}

/** Another state of the data under the same counts: only the era tells them apart. */
async function restore(database: Database): Promise<void> {
  const schema = revisionSchema(database.schema)
  await database.transaction(async ({ query }) => {
    const counts = await query(`select * from ${schema}.tidemark_revision`)
    await query(`${TITLE} where id = ${OPEN}`)
    await query(`delete from ${schema}.tidemark_revision`)
    await query(
      `insert into ${schema}.tidemark_revision
        select * from json_populate_recordset(null::${schema}.tidemark_revision, $1)`,
      [JSON.stringify(counts)],
    )
  })
  await renewRevisions(database.client, { schema })
}
