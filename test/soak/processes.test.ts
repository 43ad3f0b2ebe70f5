// Four processes over one SQLite file, one folder of segments, one PostgreSQL or one Redis: mixed work, killed at random.
// SOAK_SECONDS sets how long (default 3).

import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { testFolder } from '../folder.ts'
import { postgresPlaces } from '../postgres/shared.ts'
import { jsonlPlace } from '../process/place.ts'
import { pause, until } from '../redis/app.ts'
import { sharedPlaces } from '../redis/shared.ts'
import { Truth } from './truth.ts'

const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 3)
const MAIN = fileURLToPath(new URL('soak-main.ts', import.meta.url))
const PROCESSES = 4
const folder = testFolder()
const redisPlaces = await sharedPlaces()
const inPostgres = await postgresPlaces()

interface Report {
  readonly reads: number
  readonly loads: number
  readonly changes: number
  readonly stale: number
  readonly oldestMs: number
  readonly errors: readonly string[]
  readonly tierFailures: number
}

type Run = readonly ['sqlite' | 'jsonl' | 'redis' | 'postgres', 'strict' | 'eventual', place: string]

const coherences = ['strict', 'eventual'] as const
const runs: readonly Run[] = [
  ...coherences.map((coherence): Run => ['sqlite', coherence, join(folder, `${coherence}.db`)]),
  ...coherences.map((coherence): Run => ['jsonl', coherence, jsonlPlace(join(folder, coherence))]),
  ...coherences.flatMap((coherence, i): Run[] => (redisPlaces ? [['redis', coherence, redisPlaces(i)]] : [])),
  ...coherences.flatMap((coherence, i): Run[] => (inPostgres ? [['postgres', coherence, inPostgres(i)]] : [])),
]

it.for(runs)(
  `%s, %s: four processes, ${SECONDS} s, killed at random: nothing stale, no error`,
  { timeout: SECONDS * 1000 + 180_000 },
  async ([shared, coherence, place]) => {
    const truth = join(folder, `truth-${shared}-${coherence}`)
    Truth.make(truth, 40)
    const reports: Report[] = []
    const children: ChildProcess[] = []
    const start = (index: number): void => {
      const child = fork(MAIN, [place, truth, String(index), coherence], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      const at =
        reports.push({ reads: 0, loads: 0, changes: 0, stale: 0, oldestMs: 0, errors: [], tierFailures: 0 }) - 1
      child.on('message', (report: Report) => (reports[at] = report))
      children[index] = child
    }
    for (let i = 0; i < PROCESSES; i++) start(i)
    onTestFinished(() => children.forEach((child) => void child.kill('SIGKILL')))
    const sum = (of: (report: Report) => number): number => reports.reduce((total, report) => total + of(report), 0)
    const areAtWork = (): boolean => reports.filter(({ reads }) => reads > 0).length >= PROCESSES
    // Processes take their time to start where there are more of them than cores.
    await until(areAtWork, 90_000)
    let kills = 0
    const endAt = performance.now() + SECONDS * 1000
    const isEnough = (): boolean =>
      sum(({ reads }) => reads) > SECONDS * 20 && sum(({ changes }) => changes) > SECONDS * 2
    while (performance.now() < endAt) {
      await pause(400 + Math.random() * 800)
      const victim = Math.floor(Math.random() * PROCESSES)
      const child = children[victim] as ChildProcess
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
      kills++
      start(victim)
    }
    await until(isEnough, 60_000)
    const figures = {
      reads: sum((r) => r.reads),
      loads: sum((r) => r.loads),
      changes: sum((r) => r.changes),
      kills,
      stale: sum((r) => r.stale),
      oldestMs: Math.round(Math.max(...reports.map((r) => r.oldestMs))),
      tierFailures: sum((r) => r.tierFailures),
    }
    console.log(`${shared}, ${coherence}: ${JSON.stringify(figures)}`)
    expect(reports.flatMap((r) => r.errors)).toEqual([])
    expect(figures.stale).toBe(0)
  },
)
