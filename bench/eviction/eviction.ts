// Hit ratios of every eviction policy over real traces, beside LRU.

import { EVICTIONS, type EvictionName } from '../../src/tier/memory/eviction/eviction.ts'
import type { Report } from '../report.ts'
import { hitPercent, sizesOf } from './simulate.ts'
import { readTraces, tracesFolder } from './trace.ts'

/** What every policy reached with one trace and one size. */
export interface Point {
  readonly trace: string
  readonly entries: number
  readonly hits: Readonly<Record<EvictionName, number>>
}

/** A policy over all points: its mean, and beside LRU the mean gain and the worst one. */
export interface Summary {
  readonly eviction: EvictionName
  readonly mean: number
  readonly gain: number
  readonly worst: number
}

/** Said where there are no traces. */
export const NO_TRACES =
  'No traces here: set TRACES_DIR to a folder with loop.trace.gz and its siblings (from Caffeine’s simulator).'

/** Every point, as it is simulated; none without traces. */
export function* points(): Iterable<Point> {
  const folder = tracesFolder()
  if (folder === undefined) return
  for (const trace of readTraces(folder)) {
    for (const entries of sizesOf(trace)) {
      const hits = EVICTIONS.map((eviction) => [eviction, hitPercent(trace, eviction, entries)] as const)
      yield { trace: trace.name, entries, hits: Object.fromEntries(hits) as Record<EvictionName, number> }
    }
  }
}

/** The policies over all points. */
export function summaries(all: readonly Point[]): Summary[] {
  const meanOf = (figures: readonly number[]): number => figures.reduce((sum, it) => sum + it, 0) / figures.length
  return EVICTIONS.map((eviction) => {
    const gains = all.map(({ hits }) => hits[eviction] - hits.lru)
    const mean = meanOf(all.map(({ hits }) => hits[eviction]))
    return { eviction, mean, gain: meanOf(gains), worst: Math.min(...gains) }
  })
}

/** The section `eviction`. */
export async function eviction(): Promise<Report> {
  const all = [...points()]
  const head = { section: 'eviction', title: 'hit ratios over real traces' }
  if (all.length === 0) return { ...head, conditions: [NO_TRACES], tables: [], goals: [] }
  const rows = summaries(all)
  const own = rows.find((row) => row.eviction === 's3-fifo') as Summary
  return {
    ...head,
    conditions: [`${all.length} points of trace and size, over the real memory tier; every point: npm run sim`],
    tables: [
      {
        title: 'mean hit ratio',
        unit: '%',
        rows: rows.map(({ eviction: label, mean, gain, worst }) => ({
          label,
          value: mean,
          note: `LRU ${gain < 0 ? '−' : '+'} ${Math.abs(gain).toFixed(2)}, worst ${worst.toFixed(2)} points`,
        })),
      },
    ],
    goals: [
      { what: 'mean gain of s3-fifo over LRU', measured: own.gain, limit: 4, unit: 'points', better: 'higher' },
      { what: 'its worst point beside LRU', measured: own.worst, limit: -1, unit: 'points', better: 'higher' },
    ],
  }
}
