import type { Database } from '@tidemark/database'
import { createTidemark, memory } from 'tidemark'
import { CORE_TABLES } from '../database/tables.ts'
import { StateSummary, type SummaryOptions } from '../summary/state-summary.ts'

/** How long one operation takes, in milliseconds. */
export interface Latency {
  readonly median: number
  readonly p99: number
  readonly most: number
}

/** Hits beside what they take the place of, measured in turns. */
export interface Speed {
  /** The newest time of each of 13 tables, one query after the other on one connection. */
  readonly queries: Latency
  /** One empty query: what no hit that asks can be faster than, on this machine and now. */
  readonly floor: Latency
  readonly asked: Latency
  readonly announced: Latency
}

const ROUNDS = 20
const READS = 50

/** Measures hits of a hub nobody writes to. */
export async function speedOf(database: Database): Promise<Speed> {
  const asked = await opened(database, 'asked')
  const announced = await opened(database, 'announced')
  const taken = { queries: [] as number[], floor: [] as number[], asked: [] as number[], announced: [] as number[] }
  const time = async (into: number[], work: () => Promise<unknown>): Promise<void> => {
    for (let i = 0; i < READS; i++) {
      const begun = performance.now()
      await work()
      into.push(performance.now() - begun)
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    await time(taken.queries, () => askOneByOne(database))
    await time(taken.floor, () => database.query('select 1'))
    await time(taken.asked, () => asked.summary.resolve())
    await time(taken.announced, () => announced.summary.resolve())
  }
  await asked.close()
  await announced.close()
  return {
    queries: latencyOf(taken.queries),
    floor: latencyOf(taken.floor),
    asked: latencyOf(taken.asked),
    announced: latencyOf(taken.announced),
  }
}

async function askOneByOne(database: Database): Promise<void> {
  await database.transaction(async ({ query }) => {
    for (const table of CORE_TABLES) await query(`select max(updated_at) from ${table}`)
    await query('select max(created_at) from progress_events')
  })
}

async function opened(
  database: Database,
  revisions: SummaryOptions['revisions'],
): Promise<{ summary: StateSummary; close: () => Promise<void> }> {
  const tide = createTidemark({ tiers: [memory()] })
  const summary = new StateSummary(tide, database, { revisions })
  await summary.ready
  await summary.resolve()
  const close = async (): Promise<void> => {
    await summary.close()
    await tide.close()
  }
  return { summary, close }
}

function latencyOf(taken: readonly number[]): Latency {
  // The first round fills what there is to fill.
  const sorted = taken.slice(READS).toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { median: at(0.5), p99: at(0.99), most: at(1) }
}
