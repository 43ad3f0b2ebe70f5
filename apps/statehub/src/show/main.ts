// What the summary promises, on a real PostgreSQL, with figures: npm run show -w apps/statehub -- --seconds 60

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { progressBar } from '@tidemark/database'
import { createTidemark, memory } from 'tidemark'
import { openHubDatabase, revisionSchema } from '../database/open.ts'
import { seed } from '../seed/seed.ts'
import { openService } from '../service.ts'
import { StateSummary } from '../summary/state-summary.ts'
import { CHANGES, outcomeOf } from './changes.ts'
import type { CrowdReport } from './crowd-main.ts'
import { speedOf, type Latency } from './speed.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, processes: { type: 'string', default: '4' } },
})
const TARGET_FACTOR = 20
const TARGET_P99_MS = 5
const READERS = 200
const CROWD_MAX_STALE_MS = 1_000

const url = process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test'
const schema = process.env['DB_SCHEMA'] ?? `statehub_show_${process.pid}`
const folder = mkdtempSync(join(tmpdir(), 'statehub-show-'))
let isMet = true

const database = await openHubDatabase({ schema, url })
try {
  const rows = await seed(database, { onProgress: progressBar(process.stderr) })
  console.log(`${rows} rows in the schema ${schema}\n`)
  await speed()
  await crowdOfReaders()
  await changes()
  await crowd(Number(values.processes), Number(values.seconds))
} finally {
  await database.query(`drop schema ${schema}, ${revisionSchema(schema)} cascade`)
  await database.close()
  rmSync(folder, { recursive: true, force: true })
}
console.log(isMet ? '\nAll targets met.' : '\nNOT all targets met.')
process.exitCode = isMet ? 0 : 1

async function speed(): Promise<void> {
  const { queries, floor, asked, announced } = await speedOf(database)
  const words = ({ median, p99 }: Latency): string => `${micro(median)} µs, p99 ${micro(p99)} µs`
  console.log(`      13 queries for the newest times, in one session: ${words(queries)}`)
  console.log(`      one empty query: ${words(floor)}`)
  const factor = (of: Latency): string => `${(queries.median / of.median).toFixed(1)} × faster`
  console.log(`      a hit that asks the database: ${words(asked)}, ${factor(asked)}`)
  const isFast = queries.median / announced.median >= TARGET_FACTOR
  report(
    `a hit while nothing is announced: ${words(announced)}, ${factor(announced)} (target ${TARGET_FACTOR} ×)`,
    isFast,
  )
  const p99 = Math.max(asked.p99, announced.p99)
  report(`p99 of both: ${micro(p99)} µs (target ${TARGET_P99_MS} ms)`, p99 < TARGET_P99_MS)
}

async function crowdOfReaders(): Promise<void> {
  await using service = await openService({ database })
  const readers = Array.from({ length: READERS }, () => service.fetch(new Request('http://localhost/state/summary')))
  const answers = await Promise.all(readers)
  const { loads } = await service.summary.view.stats()
  const isOk = answers.every(({ status }) => status === 200)
  report(`${READERS} concurrent cold readers: ${loads / 2} build of the two sections`, loads === 2 && isOk)
}

/** Each change, in the mode that is exact, and in the one for databases that may not be altered. */
async function changes(): Promise<void> {
  console.log('\nWhat the very next read makes of what happens behind its back:')
  for (const change of CHANGES) {
    const counters = await under('asked', (summary) => outcomeOf(change, summary, database))
    const watermark = await under('watermark', (summary) => outcomeOf(change, summary, database))
    const isExpected = watermark.isRight !== (change.isMissedByWatermarks === true)
    const note = change.isMissedByWatermarks ? ', as documented' : ''
    report(
      `${change.what}: ${counters.told}; with watermarks: ${watermark.told}${note}`,
      counters.isRight && isExpected,
    )
  }
}

async function under<T>(revisions: 'asked' | 'watermark', work: (summary: StateSummary) => Promise<T>): Promise<T> {
  await using tide = createTidemark({ tiers: [memory()] })
  await using summary = new StateSummary(tide, database, { revisions, maxStaleMs: 0 })
  return await work(summary)
}

async function crowd(processes: number, seconds: number): Promise<void> {
  console.log(`\n${processes} processes write and read for ${seconds} s …`)
  const program = fileURLToPath(new URL('crowd-main.ts', import.meta.url))
  const parameters = [String(seconds), join(folder, 'cache.db'), String(CROWD_MAX_STALE_MS)]
  const env = { ...process.env, DATABASE_URL: url, DB_SCHEMA: schema }
  const reports = await Promise.all(
    Array.from({ length: processes }, async () => {
      const child = fork(program, parameters, { env })
      const ended = once(child, 'exit').then(([code]) => {
        throw new Error(`A process of the crowd ended with ${String(code)} before it reported.`)
      })
      const [told] = await Promise.race([once(child, 'message'), ended])
      ended.catch(() => {})
      return told as CrowdReport
    }),
  )
  const sum = (of: (it: CrowdReport) => number): number => reports.reduce((all, it) => all + of(it), 0)
  const reads = (status: string): number => sum(({ outcomes }) => outcomes[status] ?? 0)
  const statuses = ['hit', 'partial', 'stale', 'miss'].map((it) => `${reads(it)} ${it}`)
  console.log(`      ${sum(({ writes }) => writes)} writes; reads: ${statuses.join(', ')}`)
  const [outdated, tooStale, missed] = [
    sum((it) => it.outdated),
    sum((it) => it.tooStale),
    sum((it) => it.missedByRefresh),
  ]
  report(
    `reads that missed what was committed before they began, and were not called stale: ${outdated}`,
    outdated === 0,
  )
  report(
    `reads that missed what was committed longer than ${CROWD_MAX_STALE_MS} ms before: ${tooStale}`,
    tooStale === 0,
  )
  report(`reads after a refresh that missed what was committed before it: ${missed}`, missed === 0)
}

function micro(ms: number): string {
  return (ms * 1_000).toFixed(ms < 0.01 ? 1 : 0)
}

function report(words: string, met: boolean): void {
  isMet &&= met
  console.log(`${met ? 'met ' : 'MISS'}  ${words}`)
}
