// What an entry costs in memory besides its key and its value.

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Report } from '../report.ts'
import { median } from '../rounds.ts'
import { HOLDERS, type HolderName } from './holders.ts'

const ENTRIES = 100_000
const RUNS = 3

/** What a process that holds entries reports. */
export interface FootprintReport {
  /** Bytes of the keys and values alone, for each entry. */
  readonly contentBytes: number
  /** What holding them adds, for each entry. */
  readonly addedBytes: number
}

/** The section `memory`. */
export async function memoryPerEntry(): Promise<Report> {
  const added = new Map<HolderName, number>()
  let contentBytes = 0
  for (const name of Object.keys(HOLDERS) as HolderName[]) {
    const runs: FootprintReport[] = []
    for (let run = 0; run < RUNS; run++) runs.push(await footprint(name))
    added.set(name, median(runs.map((it) => it.addedBytes)))
    contentBytes = median(runs.map((it) => it.contentBytes))
  }
  const lru = added.get('lru-cache with ttl') as number
  const measured = (added.get('tidemark, evicting') as number) / lru
  return {
    section: 'memory',
    title: 'bytes for each small entry',
    conditions: [
      `${ENTRIES.toLocaleString('en')} entries in a fresh process each, heap and array buffers after a full collection`,
      `key and value themselves take ${contentBytes.toFixed(0)} bytes, which everyone holds; the table shows what is added`,
    ],
    tables: [
      {
        title: 'added for each entry',
        unit: 'bytes',
        against: 'lru-cache with ttl',
        rows: [...added].map(([label, value]) => ({ label, value, ratio: value / lru })),
      },
    ],
    goals: [
      { what: 'added for each entry, beside lru-cache with ttl', measured, limit: 1.5, unit: '×', better: 'lower' },
    ],
  }
}

function footprint(name: HolderName): Promise<FootprintReport> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./footprint-main.ts', import.meta.url)), [name, String(ENTRIES)], {
      execArgv: ['--expose-gc'],
    })
    child.once('message', (report) => resolve(report as FootprintReport))
    child.once('exit', (code) => reject(new Error(`The process for ${name} ended with code ${code} and no report.`)))
  })
}
