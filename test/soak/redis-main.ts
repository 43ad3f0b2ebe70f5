// One of the processes of `redis-outage.test.ts`: reads, loads, sets and invalidates over one Redis in trouble, and does
// what its parent says. It knows what it changed itself, and may never see anything older.

import { Redis } from 'ioredis'
import { createTidemark, memory, ttl } from '../../src/index.ts'
import { redis } from '../../src/redis.ts'
import { nowMs, Truth } from './truth.ts'

const [port, truthPath, indexText, coherence] = process.argv.slice(2) as [string, string, string, 'eventual' | 'strict']
const index = Number(indexText)
const KEYS = 80
const PROCESSES = 8
const BUDGET_MS = 250
const truth = new Truth(truthPath)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const random = (below: number): number => Math.floor(Math.random() * below)

const connect = (): Redis => {
  const client = new Redis({ port: Number(port), retryStrategy: () => 100, maxRetriesPerRequest: null })
  // Heard by the tier while it is open; before and after, the server may be gone as well.
  client.on('error', () => {})
  return client
}
const [client, subscriber] = [connect(), connect()]
const tide = createTidemark({
  tiers: [memory({ maxEntries: 60 }), { tier: redis({ client, subscriber }), budget: BUDGET_MS }],
  coherence,
})
const figures = { reads: 0, loads: 0, changes: 0, staleOwn: 0, tierFailures: 0, errors: [] as string[] }
/** How often something took so many milliseconds; the last one is for all that took longer. */
const histogram = (): number[] => Array.from<number>({ length: 5_001 }).fill(0)
const count = (times: number[], ms: number): void => {
  const at = Math.min(Math.max(0, Math.floor(ms)), times.length - 1)
  times[at] = (times[at] as number) + 1
}
/** Of reads, and by how much a timer was late: what the machine, not the cache, made everyone wait. */
const [tookMs, lateMs] = [histogram(), histogram()]
const EVERY_MS = 20
let dueAt = performance.now() + EVERY_MS
const tick = (): void => {
  count(lateMs, performance.now() - dueAt)
  dueAt = performance.now() + EVERY_MS
  setTimeout(tick, EVERY_MS)
}
setTimeout(tick, EVERY_MS)
tide.on('event', (event) => {
  if (event.type === 'tier-failed') figures.tierFailures++
})
const users = tide.resource<number, { v: number }>({
  name: 'users',
  load: async (key) => {
    figures.loads++
    const v = truth.get(key, 'source')
    await pause(random(5))
    return { v }
  },
  freshness: ttl('1h'),
  scope: (key) => `s${key % PROCESSES}`,
  tags: (key) => [`t${key % PROCESSES}`],
})

/** Every key has one process that changes it, so that versions only grow; so has every scope, and every tag. */
const ownKey = (): number => index + PROCESSES * random(KEYS / PROCESSES)
const own = new Map<number, number>()

async function read(): Promise<void> {
  const key = random(4) === 0 ? ownKey() : random(KEYS)
  const mine = own.get(key) ?? 0
  const startedAt = performance.now()
  const { v } = await users.get(key)
  count(tookMs, performance.now() - startedAt)
  figures.reads++
  if (v < mine) figures.staleOwn++
}

let isPaused = false
let changing: Promise<void> = Promise.resolve()

async function change(): Promise<void> {
  if (isPaused) return
  const key = ownKey()
  const version = nowMs()
  truth.set(key, 'source', version)
  const kind = random(5)
  if (kind === 0) await users.set(key, { v: version })
  else if (kind === 1) await users.delete(key)
  else if (kind === 2) await users.invalidate(key)
  else if (kind === 3) await tide.scope(`s${index}`).clear()
  else await tide.invalidateTag(`t${index}`)
  truth.set(key, 'resolved', version)
  own.set(key, version)
  figures.changes++
}

/** Keys of which something older is seen than what a change resolved for. */
async function staleKeys(): Promise<number[]> {
  const stale: number[] = []
  for (let key = 0; key < KEYS; key++) {
    const resolved = truth.get(key, 'resolved')
    if ((await users.get(key)).v < resolved) stale.push(key)
  }
  return stale
}

const methods: Record<string, () => unknown> = {
  status: async () => {
    const [, { state, reason, journal }] = (await tide.tiers()) as [unknown, Awaited<ReturnType<typeof tide.tiers>>[0]]
    return { state, reason, journaled: journal.items, loading: (await tide.stats()).loading }
  },
  pause: () => {
    isPaused = true
    return changing
  },
  resume: () => void (isPaused = false),
  staleKeys,
  figures: () => ({ ...figures, tookMs, lateMs }),
}

async function loop(work: () => Promise<void>, pauseMs: number): Promise<void> {
  for (;;) {
    await work().catch((error: unknown) => figures.errors.push(String(error)))
    await pause(pauseMs / 2 + random(pauseMs))
  }
}

process.on('message', ({ id, method }: { id: number; method: string }) => {
  void Promise.resolve(methods[method]?.()).then((value) => process.send?.({ id, value }))
})
for (let i = 0; i < 3; i++) void loop(read, 30)
void loop(() => (changing = change()), 60)
process.send?.({ ready: true })
