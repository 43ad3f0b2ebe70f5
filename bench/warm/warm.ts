// Filling an empty cache: what a service does when it starts, or after everything was cleared.

import { join } from 'node:path'
import { createTidemark, memory, sqlite, ttl, type Resource, type Tidemark } from 'tidemark'
import { withFolder } from '../folder.ts'
import { itemOf, keyOf, type Item } from '../item.ts'
import { TTL_MS } from '../peers/peer.ts'
import type { Report } from '../report.ts'
import { median } from '../rounds.ts'

const ENTRIES = 10_000
const RUNS = 5
const LIMIT_MS = 1_000
const KEYS = Array.from({ length: ENTRIES }, (_, n) => keyOf(n))
/** What is timed, in this order. Each fills a name of its own. */
const FILLED = ['loaded: getMany of all keys', 'set, all at once', 'set, each awaited before the next'] as const
const READ = ['read back from memory', 'read back from SQLite after a restart'] as const

/** The section `warm`. */
export async function warm(): Promise<Report> {
  const runs: number[][] = []
  for (let run = 0; run < RUNS; run++)
    runs.push(await withFolder((folder) => fillAndReadBack(join(folder, 'cache.db'))))
  const labels = [...FILLED, ...READ]
  const took = labels.map((_, i) => median(runs.map((run) => run[i] as number)))
  return {
    section: 'warm',
    title: `${ENTRIES.toLocaleString('en')} entries through memory and SQLite`,
    conditions: [`median of ${RUNS} runs, each with a new file, nothing warmed up before the first`],
    tables: [
      { title: 'all entries', unit: 'ms', rows: labels.map((label, i) => ({ label, value: took[i] as number })) },
    ],
    goals: FILLED.map((what, i) => ({
      what,
      measured: took[i] as number,
      limit: LIMIT_MS,
      unit: 'ms',
      better: 'lower',
    })),
  }
}

async function fillAndReadBack(path: string): Promise<number[]> {
  const tide = open(path)
  const [loaded, together, oneByOne] = FILLED.map((name) => unitsOf(tide, name)) as [Units, Units, Units]
  const took = [
    await timed(() => loaded.getMany(KEYS)),
    await timed(() => Promise.all(KEYS.map((key, n) => together.set(key, itemOf(n))))),
    await timed(async () => {
      for (const [n, key] of KEYS.entries()) await oneByOne.set(key, itemOf(n))
    }),
    await timed(() => oneByOne.getMany(KEYS)),
  ]
  await tide.close()
  const again = open(path)
  const units = unitsOf(again, FILLED[2])
  took.push(await timed(() => units.getMany(KEYS)))
  if ((await units.stats()).loads > 0) throw new Error('Something was loaded that the file was to have.')
  await again.close()
  return took
}

type Units = Resource<string, Item>

function open(path: string): Tidemark {
  return createTidemark({ tiers: [memory({ maxEntries: ENTRIES * FILLED.length }), sqlite({ path })], freeze: false })
}

function unitsOf(tide: Tidemark, name: string): Units {
  const load = async (key: string): Promise<Item> => itemOf(Number(key.slice(key.indexOf(':') + 1)))
  return tide.resource({ name, load, freshness: ttl(TTL_MS) })
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}
