// A hit in the SQLite tier: memory does not have the key, the file does.

import { join } from 'node:path'
import { memory, sqlite } from 'tidemark'
import { keyOf, shuffled } from '../item.ts'
import type { Goal, Table } from '../report.ts'
import { inTurns, ratioOf, rowsAgainst, type Contender } from '../rounds.ts'
import { awaitedContender, immediateContender } from '../hit/contender.ts'
import { fillCache, openCache } from './cache.ts'
import { RawDatabase } from './raw.ts'

const KEYS = 20_000
const MEMORY_ENTRIES = 500
const TURNS = { rounds: 21, warmUp: 4 }
const FLOOR = 'raw prepared get + JSON.parse'
const ALONE = 'tidemark, SQLite alone'
const BEHIND = `tidemark, behind a memory of ${MEMORY_ENTRIES} entries`

/** Reads every key in an order of its own, through a cache and by hand. */
export async function reads(folder: string): Promise<{ table: Table; goals: Goal[] }> {
  const raw = new RawDatabase(join(folder, 'raw-read.db'))
  raw.fill(KEYS)
  const alone = openCache([sqlite({ path: join(folder, 'alone.db') })])
  const behind = openCache([memory({ maxEntries: MEMORY_ENTRIES }), sqlite({ path: join(folder, 'behind.db') })])
  await fillCache(alone, KEYS)
  await fillCache(behind, KEYS)

  const stream = shuffled(KEYS).map(keyOf)
  const contenders: Contender[] = [
    immediateContender({ label: FLOOR, read: (key) => raw.get(key) }, stream),
    awaitedContender({ label: ALONE, read: (key) => alone.units.get(key) }, stream),
    awaitedContender(
      { label: BEHIND, note: 'misses memory, is copied up', read: (key) => behind.units.get(key) },
      stream,
    ),
  ]
  const measured = await inTurns(contenders, TURNS)
  await alone.tide.close()
  await behind.tide.close()
  raw.close()
  const goal = (label: string): Goal => ({
    what: `${label}, beside ${FLOOR}`,
    measured: ratioOf(measured, label, FLOOR),
    limit: 1.5,
    unit: '×',
    better: 'lower',
  })
  return {
    table: {
      title: `awaited read of one of ${KEYS} keys from the file`,
      unit: 'µs',
      against: FLOOR,
      rows: rowsAgainst(measured, FLOOR, 1_000),
    },
    goals: [goal(ALONE), goal(BEHIND)],
  }
}
