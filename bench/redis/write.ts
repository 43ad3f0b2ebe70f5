// A set in Redis: by hand one command, through the tier one script that also tells who holds the key.

import type { Entry, Tier } from 'tidemark'
import { redis } from 'tidemark/redis'
import { keyOf } from '../item.ts'
import { TTL_MS } from '../peers/peer.ts'
import type { Table } from '../report.ts'
import { inTurns, rowsAgainst } from '../rounds.ts'
import { valueOf, type Clients } from './clients.ts'
import { InFlight } from './in-flight.ts'

const KEYS = 2_000
const WIDTH = 50
const OPERATIONS = 5_000
const TURNS = { rounds: 11, warmUp: 3 }
const SET = 'set with PX'

/** Sets of the same keys, always with another value. */
export async function writes({ prefix, libraries }: Clients): Promise<{ tables: Table[] }> {
  const tables: Table[] = []
  for (const library of libraries) {
    const tier = redis({ client: library.client, prefix: `${prefix}-${library.name}-write` })
    let version = 0
    const raw = (n: number): Promise<unknown> =>
      library.set(`{${prefix}-${library.name}}:w${n % KEYS}`, JSON.stringify(valueOf(n, version++)), TTL_MS)
    const contenders = [
      new InFlight(SET, WIDTH, OPERATIONS, raw),
      new InFlight('explicit set', WIDTH, OPERATIONS, async (n) => tier.put(entryOf(n, version++))),
      new InFlight('explicit set, in a scope and two tags', WIDTH, OPERATIONS, async (n) =>
        tier.put({ ...entryOf(n + KEYS, version++), scope: `s${n % 10}`, tags: ['a', `b${n % 7}`] }),
      ),
      new InFlight('store under a lease', WIDTH, OPERATIONS, (n) => stored(tier, entryOf(n + 2 * KEYS, version++))),
    ]
    const measured = await inTurns(contenders, TURNS)
    const rows = rowsAgainst(measured, SET, 1_000)
    tables.push({
      title: `${library.name}: a write, ${WIDTH} in flight`,
      unit: 'µs',
      against: SET,
      rows: rows.map((row, i) => ({ ...row, note: contenders[i]?.spread ?? '' })),
    })
    await tier.close()
  }
  return { tables }
}

async function stored(tier: Tier, entry: Entry): Promise<void> {
  const lease = await tier.lease()
  if (!(await tier.put(entry, lease))) throw new Error('A lease was to hold.')
}

function entryOf(n: number, version: number): Entry {
  const now = Date.now()
  const until = now + TTL_MS
  return {
    key: { name: 'units', id: keyOf(n % (3 * KEYS)) },
    value: valueOf(n, version),
    loadedAt: now,
    freshUntil: until,
    staleUntil: until,
    errorUntil: until,
    keepUntil: until,
  }
}
