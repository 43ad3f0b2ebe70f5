// How long a service waits for its cache after a restart: a file of a million entries, a fresh process, the first hit.

import { fork } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sqlite } from 'tidemark'
import { withFolder } from '../folder.ts'
import type { Report } from '../report.ts'
import { median } from '../rounds.ts'
import { fillCache, openCache } from '../sqlite/cache.ts'
import { RawDatabase } from '../sqlite/raw.ts'

const ENTRIES = 1_000_000
const RUNS = 9
const LIMIT_MS = 100

/** What a process that opened a file reports. */
export interface OpenReport {
  /** From before the file is opened to the first value. */
  readonly openMs: number
  /** The same from the start of the process, loading of the code included. */
  readonly sinceStartMs: number
}

/** What it is told. */
export interface OpenTask {
  readonly kind: 'raw' | 'tidemark'
  readonly path: string
  /** A key to be read. */
  readonly n: number
}

/** The section `reopen`. */
export function reopen(): Promise<Report> {
  return withFolder(async (folder) => {
    const path = join(folder, 'cache.db')
    const rawPath = join(folder, 'raw.db')
    const buildMs = await timed(() => build(path))
    const rawBuildMs = await timed(() => buildRaw(rawPath))
    const ours: OpenReport[] = []
    const raw: OpenReport[] = []
    for (let run = 0; run < RUNS; run++) {
      const n = (run * 123_457) % ENTRIES
      raw.push(await openIn({ kind: 'raw', path: rawPath, n }))
      ours.push(await openIn({ kind: 'tidemark', path, n }))
    }
    const openMs = median(ours.map((it) => it.openMs))
    const size = `${(statSync(path).size / 1e6).toFixed(0)} MB`
    return {
      section: 'reopen',
      title: `opening a SQLite cache of ${ENTRIES.toLocaleString('en')} entries (${size}) and the first get`,
      conditions: [
        `each run in a fresh process that reads another key; median of ${RUNS}; the file is in the system's page cache`,
      ],
      tables: [
        {
          title: 'opening and the first value',
          unit: 'ms',
          rows: [
            { label: 'raw open, prepare, get', value: median(raw.map((it) => it.openMs)) },
            { label: 'tidemark', value: openMs },
            { label: 'tidemark, longest', value: Math.max(...ours.map((it) => it.openMs)) },
            { label: 'tidemark, since the process started', value: median(ours.map((it) => it.sinceStartMs)) },
          ],
        },
        {
          title: 'building the file',
          unit: 's',
          rows: [
            { label: 'raw, one commit', value: rawBuildMs / 1_000 },
            { label: 'tidemark, 1 000 sets at once', value: buildMs / 1_000 },
          ],
        },
      ],
      goals: [{ what: 'opening and the first get', measured: openMs, limit: LIMIT_MS, unit: 'ms', better: 'lower' }],
    }
  })
}

async function build(path: string): Promise<void> {
  const cache = openCache([sqlite({ path })])
  await fillCache(cache, ENTRIES)
  await cache.tide.close()
}

function buildRaw(path: string): void {
  const raw = new RawDatabase(path)
  raw.fill(ENTRIES)
  raw.close()
}

async function timed(work: () => unknown): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

function openIn(task: OpenTask): Promise<OpenReport> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./open-main.ts', import.meta.url)), [JSON.stringify(task)])
    child.once('message', (report) => resolve(report as OpenReport))
    child.once('exit', (code) => reject(new Error(`The process that opens ended with code ${code} and no report.`)))
  })
}
