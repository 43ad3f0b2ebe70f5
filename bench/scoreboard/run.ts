import type { Cache, Peer } from './peer.ts'
import { Remote } from './remote.ts'
import { settled, within, type Outcome, type Scenario } from './scenario.ts'
import { Source } from './source.ts'
import { StageClock } from './stage-clock.ts'

/** A scenario that takes longer hangs. */
const SCENARIO_MS_MAX = 10_000
const CLOSE_MS_MAX = 500
/** The Redis that second tiers are made of. */
export const REDIS_URL: string = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'
const RUN = `tidemark-scoreboard-${process.pid}-${Date.now()}`

let stages = 0

/** Plays one scenario with one library. */
export async function run(peer: Peer, scenario: Scenario): Promise<Outcome> {
  const missing = scenario.uses.find((feature) => peer.lacks[feature] !== undefined)
  const at = { scenario: scenario.name }
  if (missing !== undefined) return { ...at, result: 'cannot be expressed', why: peer.lacks[missing] as string }
  const unhandled: unknown[] = []
  const note = (error: unknown): unknown => unhandled.push(error)
  process.on('unhandledRejection', note)
  const why = await played(peer, scenario)
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  const told = peer.notes?.[scenario.name]
  const wrong = why ?? (unhandled.length > 0 ? `a rejection nobody handles: ${String(unhandled[0])}` : undefined)
  if (wrong !== undefined) return { ...at, result: 'fails', why: told === undefined ? wrong : `${wrong}; ${told}` }
  return told === undefined ? { ...at, result: 'holds' } : { ...at, result: 'holds', why: told }
}

async function played(peer: Peer, scenario: Scenario): Promise<string | undefined> {
  const ends: (() => unknown)[] = []
  const prefix = `${RUN}-${stages++}`
  try {
    const why = await within(
      SCENARIO_MS_MAX,
      scenario.play({
        open: async (needs) => {
          const cache: Cache = await peer.open(needs)
          ends.push(() => cache.close())
          return cache
        },
        source: (value, lastsMs) => new Source(value, lastsMs),
        remote: async () => {
          const remote = await Remote.open(REDIS_URL, prefix)
          ends.unshift(() => remote.close())
          return remote
        },
        clock: () => {
          const clock = new StageClock()
          ends.push(() => clock.release())
          return clock
        },
        lifetime: (ms) => Math.max(ms, peer.tickMs ?? 1),
      }),
    )
    return why === 'late' ? `did not end within ${SCENARIO_MS_MAX / 1000} s` : why
  } catch (error) {
    return (error as Error).message
  } finally {
    for (const end of ends.toReversed()) await within(CLOSE_MS_MAX, settled(Promise.resolve().then(end)))
  }
}
