// What it costs to find out that nothing has changed.

import { Client } from 'pg'
import { createTidemark, memory, type View } from 'tidemark'
import { pgListen, pgRevision, type PgListen } from 'tidemark/postgres'
import type { Report, Row, Table } from '../report.ts'
import { inTurns, percentile, ratioOf, rowsAgainst, type Contender } from '../rounds.ts'
import { CORE, PROGRESS, askedOneByOne, withHub, type Hub } from './hub.ts'
import { writers } from './writers.ts'

const READS = 200
const TURNS = { rounds: 15, warmUp: 3 }
const ASKED = '13 queries for MAX(updated_at)'
const HIT = 'view.read(), a hit'
const EMPTY = 'one empty query'
const QUIET = 'view.read(), nothing announced'

/** The section `view`. */
export async function views(): Promise<Report> {
  const plain = await withHub(false, gates)
  const indexed = await withHub(true, gates)
  const writes = await withHub(false, writers)
  return {
    section: 'view',
    title: 'views over PostgreSQL, beside the queries they take the place of',
    conditions: [
      `13 tables, 24 079 rows; every read begins when the one before has its answer; ${READS} reads a round`,
      'the snapshot is never built: nothing changes while reads are measured',
    ],
    tables: [
      { title: 'no index on the times', unit: 'µs', against: ASKED, rows: plain.rows },
      { title: 'an index on the times of every table', unit: 'µs', against: ASKED, rows: indexed.rows },
      latencies(plain, indexed),
      ...writes.tables,
    ],
    // With an index everywhere even one empty query is not twenty times as fast as thirteen: nothing that asks could be.
    goals: [
      { what: `${ASKED} beside a hit, no index`, measured: plain.gain, limit: 20, unit: '×', better: 'higher' },
      {
        what: `${ASKED} beside a hit while nothing is announced, no index`,
        measured: plain.quietGain,
        limit: 20,
        unit: '×',
        better: 'higher',
      },
      {
        what: 'p99 of a hit',
        measured: percentile(hits(plain, indexed), 99),
        limit: 5_000,
        unit: 'µs',
        better: 'lower',
      },
    ],
  }
}

interface Gates {
  readonly rows: readonly Row[]
  /** How many times as much the queries cost as a hit. */
  readonly gain: number
  /** The same with a listener. */
  readonly quietGain: number
  readonly hitsMs: readonly number[]
}

async function gates(hub: Hub): Promise<Gates> {
  const tide = createTidemark({ tiers: [memory()] })
  const listen = pgListen(async () => {
    const client = new Client({ ...hub.pool.options })
    await client.connect()
    return client
  })
  await listen.ready
  const view = viewOver(hub, tide.view.bind(tide), undefined)
  const quiet = viewOver(hub, tide.view.bind(tide), listen)
  const hitsMs: number[] = []
  const contenders = [
    contender(ASKED, () => askedOneByOne(hub)),
    contender(EMPTY, () => hub.pool.query({ name: 'empty', text: 'select 1' })),
    contender(HIT, async () => {
      const begun = performance.now()
      await view.read()
      hitsMs.push(performance.now() - begun)
    }),
    contender(QUIET, () => quiet.read()),
  ]
  const measured = await inTurns(contenders, TURNS)
  await listen.close()
  await tide.close()
  return {
    rows: rowsAgainst(measured, ASKED, 1_000),
    gain: ratioOf(measured, ASKED, HIT),
    quietGain: ratioOf(measured, ASKED, QUIET),
    hitsMs,
  }
}

function viewOver(
  { pool, own }: Hub,
  make: ReturnType<typeof createTidemark>['view'],
  listen: PgListen | undefined,
): View<{ core: number; progress: number }> {
  const revisionOf = (tables: readonly string[]) => pgRevision(tables, { client: pool, schema: own, listen })
  return make({
    name: listen ? 'announced' : 'asked',
    sections: {
      core: { revision: revisionOf(CORE), build: () => 1 },
      progress: { revision: revisionOf(PROGRESS), build: () => 1 },
    },
  })
}

function contender(label: string, work: () => Promise<unknown>): Contender {
  return {
    label,
    run: async () => {
      const begun = performance.now()
      for (let i = 0; i < READS; i++) await work()
      return ((performance.now() - begun) * 1e6) / READS
    },
  }
}

function latencies(plain: Gates, indexed: Gates): Table {
  const all = hits(plain, indexed)
  const row = (label: string, value: number): Row => ({ label, value })
  return {
    title: `${HIT}: how long one takes`,
    unit: 'µs',
    rows: [row('p50', percentile(all, 50)), row('p99', percentile(all, 99)), row('longest', Math.max(...all))],
  }
}

function hits(...gates: readonly Gates[]): number[] {
  return gates.flatMap(({ hitsMs }) => hitsMs.map((ms) => ms * 1_000))
}
