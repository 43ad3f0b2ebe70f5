// One of several processes that read, load, set and invalidate at one place. It checks every read against the truth, a
// file of slots: for each key the version the source has now, and the version whose change has resolved, with its time.

import { createTidemark, memory, ttl, type TierStatus } from '../../src/index.ts'
import { sharedTiers } from '../process/place.ts'
import { nowMs, Truth } from './truth.ts'

const [place, truthPath, indexText, coherence] = process.argv.slice(2) as [
  string,
  string,
  string,
  'eventual' | 'strict',
]
const index = Number(indexText)
const KEYS = 40
const PROCESSES = 4
const truth = new Truth(truthPath)

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const random = (below: number): number => Math.floor(Math.random() * below)

const report = { reads: 0, loads: 0, changes: 0, stale: 0, oldestMs: 0, errors: [] as string[], tierFailures: 0 }
const tide = createTidemark({ tiers: [memory({ maxEntries: 30 }), ...sharedTiers(place).tiers], coherence })
tide.on('event', (event) => {
  if (event.type === 'tier-failed') report.tierFailures++
})
const users = tide.resource<number, { v: number }>({
  name: 'users',
  load: async (key) => {
    report.loads++
    const v = truth.get(key, 'source')
    await pause(random(5))
    return { v }
  },
  freshness: ttl('1h'),
  scope: (key) => `s${key % 5}`,
  tags: (key) => [`t${key % 7}`],
})

/** The tier that is shared, as this process finds it. */
const shared = async (): Promise<TierStatus> => (await tide.tiers()).at(-1) as TierStatus

/**
 * When this process had its turns, with a tier that answers. A starved one is late with everything, its looks at what others
 * changed included, which are every 50 ms: what counts is how many turns it had since the change.
 */
const turns: number[] = []
const TURNS_KEPT = 20
const takeTurn = async (): Promise<void> => {
  if ((await shared()).state !== 'up') return
  turns.push(nowMs())
  if (turns.length > TURNS_KEPT) turns.shift()
}
setInterval(() => void takeTurn(), 50)
const TURNS_MAX = 4

async function read(): Promise<void> {
  const key = random(KEYS)
  const resolvedAt = truth.get(key, 'resolvedAt')
  const resolved = truth.get(key, 'resolved')
  const startedAt = nowMs()
  const { v } = await users.get(key)
  report.reads++
  if (v >= resolved) return
  report.oldestMs = Math.max(report.oldestMs, startedAt - resolvedAt)
  const turnsSince = turns.filter((at) => at > resolvedAt && at < startedAt).length
  // Strict: none may be old. Eventual: none older than a look or two.
  if (coherence === 'strict' || turnsSince > TURNS_MAX) report.stale++
}

/** Every key has one process that changes it, so that versions only grow. */
async function change(): Promise<void> {
  const key = index + PROCESSES * random(KEYS / PROCESSES)
  const version = nowMs()
  truth.set(key, 'source', version)
  const kind = random(5)
  if (kind === 0) await users.set(key, { v: version })
  else if (kind === 1) await users.delete(key)
  else if (kind === 2) await users.invalidate(key)
  else if (kind === 3) await tide.scope(`s${key % 5}`).clear()
  else await tide.invalidateTag(`t${key % 7}`)
  // A process that found the file locked when it began, while another one's last transaction was being recovered, has
  // journaled the change: the others hear of it when the tier does.
  while ((await shared()).journal.items > 0) await pause(5)
  truth.set(key, 'resolvedAt', nowMs())
  truth.set(key, 'resolved', version)
  report.changes++
}

async function loop(work: () => Promise<void>, pauseMs: number): Promise<void> {
  for (;;) {
    await work().catch((error: unknown) => report.errors.push(String(error)))
    await pause(random(pauseMs))
  }
}

for (let i = 0; i < 6; i++) void loop(read, 3)
void loop(change, 40)
setInterval(() => process.send?.(report), 100)
