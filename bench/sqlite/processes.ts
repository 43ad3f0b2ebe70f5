// Several processes write to one file at the same time.

import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Row, Table } from '../report.ts'

const COUNTS = [1, 4, 8]
const WRITE_MS = 2_000
const KINDS = { raw: 'raw upserts, each its own commit', tidemark: 'tidemark, 100 sets at once' } as const

/** What one writing process reports. */
export interface WriterReport {
  readonly writes: number
  readonly failures: number
  readonly longestMs: number
}

/** What a writing process is told. */
export interface WriterTask {
  readonly kind: keyof typeof KINDS
  readonly path: string
  readonly writeMs: number
  /** Different for each process: they write different keys and some shared ones. */
  readonly seed: number
}

/** 1, 4 and 8 processes on one file, by hand and through a cache. */
export async function processes(folder: string): Promise<{ tables: Table[] }> {
  const rows: Row[] = []
  for (const count of COUNTS) {
    for (const kind of ['raw', 'tidemark'] as const) {
      const path = join(folder, `${kind}-${count}.db`)
      const reports = await Promise.all(
        Array.from({ length: count }, (_, seed) => write({ kind, path, writeMs: WRITE_MS, seed })),
      )
      const writes = reports.reduce((sum, report) => sum + report.writes, 0)
      const failures = reports.reduce((sum, report) => sum + report.failures, 0)
      const longestMs = Math.max(...reports.map((report) => report.longestMs))
      rows.push({
        label: `${count} process${count === 1 ? '' : 'es'}, ${KINDS[kind]}`,
        value: writes / WRITE_MS,
        note: `longest wait ${longestMs.toFixed(0)} ms, ${failures} failed`,
      })
    }
  }
  return { tables: [{ title: 'processes writing to one file, all together', unit: 'k/s', rows }] }
}

function write(task: WriterTask): Promise<WriterReport> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./writer-main.ts', import.meta.url)), [JSON.stringify(task)])
    child.once('message', (report) => resolve(report as WriterReport))
    child.once('exit', (code) => reject(new Error(`A writing process ended with code ${code} and no report.`)))
  })
}
