// One of several processes that write and read one hub: crowd-main.ts <seconds> <cache file> <max stale ms>

import { databaseFrom } from '@tidemark/database'
import { createTidemark, memory, sqlite } from 'tidemark'
import { openHubDatabase } from '../database/open.ts'
import type { Snapshot } from '../summary/snapshot.ts'
import { StateSummary } from '../summary/state-summary.ts'

/** What a process saw. */
export interface CrowdReport {
  readonly writes: number
  readonly outcomes: Readonly<Record<string, number>>
  /** Reads that did not find what was committed before they began, though they were not called stale. */
  readonly outdated: number
  /** Stale reads that did not find what was committed longer ago than they may be out of date. */
  readonly tooStale: number
  /** Reads after a refresh that did not find what was committed before it. */
  readonly missedByRefresh: number
}

const [seconds = '60', cachePath = '', maxStale = '1000'] = process.argv.slice(2)
const maxStaleMs = Number(maxStale)
/** Between the stamp of a row and its commit. */
const COMMIT_MS_MAX = 500

const database = await openHubDatabase(databaseFrom(process.env, 'statehub'))
const tide = createTidemark({ tiers: [memory(), sqlite({ path: cachePath })] })
const summary = new StateSummary(tide, database, { maxStaleMs })
const outcomes: Record<string, number> = {}
const counts = { writes: 0, outdated: 0, tooStale: 0, missedByRefresh: 0 }
const end = performance.now() + Number(seconds) * 1_000

while (performance.now() < end) {
  const chance = Math.random()
  if (chance < 0.1) await write()
  else if (chance < 0.13) await refreshAndRead()
  else await readOnce()
}
await summary.close()
await tide.close()
await database.close()
process.send?.({ ...counts, outcomes } satisfies CrowdReport)
process.disconnect?.()

/** Topics are only ever added, so a snapshot with fewer than there were is an old one. */
async function write(): Promise<void> {
  counts.writes++
  const isCore = Math.random() < 0.5
  if (!isCore) {
    await database.query(`insert into progress_events (event_type, summary) values ('note', 'crowd')`)
    if (Math.random() < 0.5) await summary.hook.committed(['progress_events'])
    return
  }
  await database.query(`insert into topics (slug, title) values (gen_random_uuid()::text, 'crowd')`)
  // Others learn of it by its revision, and so may this process.
  if (Math.random() < 0.5) await summary.hook.committed(['topics'])
}

async function readOnce(): Promise<void> {
  const before = await committed(0)
  const old = await committed(maxStaleMs + COMMIT_MS_MAX)
  const { value, status } = await summary.resolve()
  outcomes[status] = (outcomes[status] ?? 0) + 1
  const found = contentOf(value)
  if (found.topics < old.topics || found.events < old.events) counts.tooStale++
  if (status !== 'stale' && (found.topics < before.topics || found.events < before.events)) counts.outdated++
}

async function refreshAndRead(): Promise<void> {
  const before = await committed(0)
  const refreshed = contentOf((await summary.resolve({ refresh: true })).value)
  const after = contentOf((await summary.resolve()).value)
  if (Math.min(refreshed.topics, after.topics) < before.topics) counts.missedByRefresh++
  else if (Math.min(refreshed.events, after.events) < before.events) counts.missedByRefresh++
}

interface Content {
  readonly topics: number
  readonly events: number
}

/** How much had been committed so long ago. */
async function committed(agoMs: number): Promise<Content> {
  const [row] = await database.query<Content>(
    `select (select count(*) from topics where created_at <= now() - $1 * interval '1 ms') as topics,
      (select count(*) from progress_events where created_at <= now() - $1 * interval '1 ms') as events`,
    [agoMs],
  )
  return row as Content
}

function contentOf({ totals, progress_event_count: events }: Snapshot): Content {
  const { topics = {} } = totals
  return { topics: Object.values(topics).reduce((sum, n) => sum + n, 0), events }
}
