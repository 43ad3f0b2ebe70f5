// Many sets at once: 100 callers each await a set of their own, as requests in flight do.

import { join } from 'node:path'
import { memory, sqlite } from 'tidemark'
import { itemOf, keyOf, type Item } from '../item.ts'
import type { Goal, Row, Table } from '../report.ts'
import { inTurns, percentile, ratioOf, rowsAgainst } from '../rounds.ts'
import { fillCache, openCache, type BenchCache } from './cache.ts'
import { RawDatabase } from './raw.ts'
import { Writing, type WriteBatch } from './writing.ts'

const KEYS = 10_000
const AT_ONCE = 100
const TURNS = { rounds: 21, warmUp: 8 }
const RAW = 'raw upserts, each its own commit'
const RAW_TOGETHER = `raw upserts, ${AT_ONCE} a commit`
const ALONE = 'tidemark, SQLite alone'
const THROUGH = 'tidemark, memory and SQLite'

/** Which key the n-th write goes to. `isGoal`: not where every row lies on a page of its own, which no commit can share. */
const ORDERS = [
  { name: 'new', what: 'new keys', keyAt: (n: number) => KEYS + n, isGoal: true },
  {
    name: 'near',
    what: `keys that are there, one after the other of ${KEYS}`,
    keyAt: (n: number) => n % KEYS,
    isGoal: true,
  },
  {
    name: 'far',
    what: `keys that are there, all over ${KEYS}`,
    keyAt: (n: number) => (n * 7_919) % KEYS,
    isGoal: false,
  },
] as const

/** Sets and upserts of the same rows, in turns; one order of keys after the other. */
export async function writes(folder: string): Promise<{ tables: Table[]; goals: Goal[] }> {
  const tables: Table[] = []
  const goals: Goal[] = []
  for (const order of ORDERS) {
    const measured = await inOrder(order, join(folder, order.name))
    tables.push(...measured.tables)
    if (order.isGoal) goals.push(...measured.goals)
  }
  return { tables, goals }
}

async function inOrder(order: (typeof ORDERS)[number], path: string): Promise<{ tables: Table[]; goals: Goal[] }> {
  const raw = new RawDatabase(`${path}-raw.db`)
  const together = new RawDatabase(`${path}-together.db`)
  const alone = openCache([sqlite({ path: `${path}-alone.db` })])
  const through = openCache([memory({ maxEntries: KEYS * 2 }), sqlite({ path: `${path}-through.db` })])
  raw.fill(KEYS)
  together.fill(KEYS)
  await fillCache(alone, KEYS)
  await fillCache(through, KEYS)

  // Counted for ever, so that no value is written twice: SQLite skips what it has.
  const rowOf = (n: number): [key: string, item: Item] => [keyOf(order.keyAt(n)), itemOf(order.keyAt(n), n)]
  const upserts =
    (database: RawDatabase): WriteBatch =>
    (from) => {
      for (let n = from; n < from + AT_ONCE; n++) database.set(...rowOf(n))
    }
  const sets =
    ({ units }: BenchCache): WriteBatch =>
    (from) =>
      Promise.all(Array.from({ length: AT_ONCE }, (_, i) => units.set(...rowOf(from + i))))
  const writings = [
    new Writing(RAW, AT_ONCE, upserts(raw)),
    new Writing(RAW_TOGETHER, AT_ONCE, (from) => together.transaction(() => void upserts(together)(from))),
    new Writing(ALONE, AT_ONCE, sets(alone)),
    new Writing(THROUGH, AT_ONCE, sets(through)),
  ]
  const measured = await inTurns(writings, TURNS)
  await alone.tide.close()
  await through.tide.close()
  raw.close()
  together.close()

  const goal = (label: string): Goal => ({
    what: `throughput of ${AT_ONCE} awaited sets, ${order.what} (${label}), beside ${RAW}`,
    measured: 1 / ratioOf(measured, label, RAW),
    limit: 3,
    unit: '×',
    better: 'higher',
  })
  return {
    tables: [
      {
        title: `a write, ${AT_ONCE} at once: ${order.what}`,
        unit: 'µs',
        against: RAW,
        rows: rowsAgainst(measured, RAW, 1_000),
      },
      {
        title: `${AT_ONCE} writes from the first call to the last answer: ${order.what}`,
        unit: 'ms',
        rows: writings.flatMap((writing) => spread(writing)),
      },
    ],
    goals: [goal(ALONE)],
  }
}

function spread({ label, batchesMs, heldMs }: Writing): Row[] {
  const counted = batchesMs.slice(batchesMs.length * (TURNS.warmUp / (TURNS.warmUp + TURNS.rounds)))
  return [
    { label: `${label}: median`, value: percentile(counted, 50) },
    { label: `${label}: 99 %`, value: percentile(counted, 99) },
    { label: `${label}: longest`, value: Math.max(...counted), note: `event loop held up to ${heldMs.toFixed(1)} ms` },
  ]
}
