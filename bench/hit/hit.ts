// What a hit in memory costs, beside a bare Map and beside every peer.

import { itemOf, keyOf, shuffled, type Item } from '../item.ts'
import { openPeers } from '../peers/all.ts'
import type { SyncWay, Way } from '../peers/peer.ts'
import { tidemark } from '../peers/tidemark.ts'
import type { Report, Row } from '../report.ts'
import { inTurns, median, ratioOf, rowsAgainst, type Measured } from '../rounds.ts'
import { allocatedBytes } from './allocation.ts'
import { awaitedContender, immediateContender } from './contender.ts'

const KEYS = 5_000
const READS = 50_000
const TURNS = { rounds: 21, warmUp: 5 }
const ALLOCATION_READS = 2_000
const FLOOR = 'async function around Map.get'
const SYNC_FLOOR = 'Map.get'

/** The section `hit`. */
export async function hit(): Promise<Report> {
  const keys = Array.from({ length: KEYS }, (_, n) => keyOf(n))
  const stream = Array.from({ length: READS / KEYS }, () => shuffled(KEYS))
    .flat()
    .map(keyOf)
  const items = new Map(keys.map((key, n) => [key, itemOf(n)]))
  const load = async (key: string): Promise<Item> => items.get(key) as Item
  const ours = await tidemark({ load, keys })
  const peers = await openPeers({ load, keys })

  const floor: Way = { label: FLOOR, read: async (key) => items.get(key) }
  const ways = [floor, ...ours.ways, ...peers.flatMap((peer) => peer.ways)]
  const awaited = await inTurns(
    ways.map((way) => awaitedContender(way, stream)),
    TURNS,
  )
  const syncFloor: SyncWay = { label: SYNC_FLOOR, read: (key) => items.get(key) }
  const syncWays = [syncFloor, ...(ours.sync ?? []), ...peers.flatMap((peer) => peer.sync ?? [])]
  const immediate = await inTurns(
    syncWays.map((way) => immediateContender(way, stream)),
    TURNS,
  )

  return {
    section: 'hit',
    title: 'a hit in memory',
    conditions: [
      `${KEYS} keys, small objects, ${READS} reads a round, the same order for all; median of ${TURNS.rounds} rounds in turns`,
      'NODE_ENV=production: values are shared, not frozen; nothing expires; nobody listens to events',
    ],
    tables: [
      { title: 'awaited', unit: 'ns', against: FLOOR, rows: rowsAgainst(awaited, FLOOR, 1) },
      {
        title: 'allocated for one awaited hit, the awaiting included',
        unit: 'bytes',
        rows: await allocations(ways, stream),
      },
      { title: 'at once', unit: 'ns', against: SYNC_FLOOR, rows: rowsAgainst(immediate, SYNC_FLOOR, 1) },
    ],
    goals: [
      {
        what: `tidemark get beside the ${FLOOR}`,
        measured: ratioOf(awaited, 'tidemark get', FLOOR),
        limit: 1.6,
        unit: '×',
        better: 'lower',
      },
      {
        what: 'tidemark get beside the fastest peer that awaits',
        measured: ratioOf(
          awaited,
          'tidemark get',
          fastest(
            awaited,
            peers.flatMap((peer) => peer.ways),
          ),
        ),
        limit: 1,
        unit: '×',
        better: 'lower',
      },
      {
        what: 'tidemark peek beside layered-loader getInMemoryOnly',
        measured: ratioOf(immediate, 'tidemark peek', 'layered-loader getInMemoryOnly'),
        limit: 1,
        unit: '×',
        better: 'lower',
      },
    ],
  }
}

async function allocations(ways: readonly Way[], stream: readonly string[]): Promise<Row[]> {
  const keys = stream.slice(0, ALLOCATION_READS)
  const rows: Row[] = []
  for (const way of ways) {
    const contender = awaitedContender(way, keys)
    rows.push({ label: way.label, value: (await allocatedBytes(() => contender.run())) / keys.length })
  }
  return rows
}

function fastest(measured: readonly Measured[], among: readonly Way[]): string {
  const labels = new Set(among.map((way) => way.label))
  const rivals = measured.filter((it) => labels.has(it.label))
  return rivals.toSorted((a, b) => median(a.rounds) - median(b.rounds))[0]?.label ?? ''
}
