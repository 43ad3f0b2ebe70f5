// A hit in Redis: of the tier, through a cache, and behind a memory that does not have the key.

import { createTidemark, memory, ttl, type Resource, type Tidemark, type Tier } from 'tidemark'
import { redis } from 'tidemark/redis'
import { keyOf, shuffled } from '../item.ts'
import { TTL_MS } from '../peers/peer.ts'
import type { Goal, Table } from '../report.ts'
import { inTurns, ratioOf, rowsAgainst } from '../rounds.ts'
import { valueOf, type Clients, type Library } from './clients.ts'
import { InFlight } from './in-flight.ts'

const KEYS = 2_000
const MEMORY_ENTRIES = 100
const WIDTHS = [
  { width: 50, operations: 10_000, rounds: 11 },
  { width: 1, operations: 1_000, rounds: 11 },
] as const
const GET = 'get'
const GET_AND_PARSE = 'get + JSON.parse'
const TIER = 'tidemark, the tier by itself'
const ALONE = 'tidemark, Redis alone'
const BEHIND = `tidemark, behind a memory of ${MEMORY_ENTRIES} entries`

/** Reads the same keys by hand and through a cache, for each library. */
export async function reads(clients: Clients): Promise<{ tables: Table[]; goals: Goal[] }> {
  const tables: Table[] = []
  const goals: Goal[] = []
  for (const library of clients.libraries) {
    const caches = [
      open(clients, library, 'alone', []),
      open(clients, library, 'behind', [memory({ maxEntries: MEMORY_ENTRIES })]),
    ] as const
    const raw = (n: number): string => `{${clients.prefix}-${library.name}}:${keyOf(n)}`
    for (let n = 0; n < KEYS; n++) {
      await library.set(raw(n), JSON.stringify(valueOf(n)), TTL_MS)
      for (const { units } of caches) await units.set(keyOf(n), valueOf(n))
    }
    const order = shuffled(KEYS)
    const at = (n: number): number => order[n % KEYS] as number
    for (const { width, operations, rounds } of WIDTHS) {
      const contenders = [
        new InFlight(GET, width, operations, (n) => library.get(raw(at(n)))),
        new InFlight(GET_AND_PARSE, width, operations, async (n) =>
          JSON.parse((await library.get(raw(at(n)))) as string),
        ),
        new InFlight(TIER, width, operations, async (n) => caches[0].tier.get({ name: 'units', id: keyOf(at(n)) })),
        ...caches.map(({ label, units }) => new InFlight(label, width, operations, (n) => units.get(keyOf(at(n))))),
      ]
      const measured = await inTurns(contenders, { rounds, warmUp: 3 })
      const rows = rowsAgainst(measured, GET, 1_000)
      tables.push({
        title: `${library.name}: a read, ${width} in flight`,
        unit: 'µs',
        against: GET,
        rows: rows.map((row, i) => ({ ...row, note: contenders[i]?.spread ?? '' })),
      })
      if (width === 1) continue
      goals.push({
        what: `${library.name}, throughput of the tier's hits with ${width} in flight, beside the client's own get`,
        measured: 1 / ratioOf(measured, TIER, GET),
        limit: 0.85,
        unit: '×',
        better: 'higher',
      })
    }
    for (const { tide } of caches) await tide.close()
  }
  return { tables, goals }
}

interface Cache {
  readonly label: string
  readonly tier: Tier
  readonly tide: Tidemark
  readonly units: Resource<string, ReturnType<typeof valueOf>>
}

function open(clients: Clients, library: Library, kind: 'alone' | 'behind', above: readonly Tier[]): Cache {
  const tier = redis({ client: library.client, prefix: `${clients.prefix}-${library.name}-${kind}` })
  const tide = createTidemark({ tiers: [...above, { tier, budget: '10s' }], freeze: false })
  const load = (key: string): Promise<never> => Promise.reject(new Error(`${key} was to be a hit.`))
  const units = tide.resource<string, ReturnType<typeof valueOf>>({ name: 'units', load, freshness: ttl(TTL_MS) })
  return { label: kind === 'alone' ? ALONE : BEHIND, tier, tide, units }
}
