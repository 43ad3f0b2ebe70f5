import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import {
  createTidemark,
  jsonl,
  memory,
  sqlite,
  type Entry,
  type Resource,
  type ResourceOptions,
  type Tidemark,
  type TidemarkEvent,
  type TidemarkOptions,
  type Tier,
  ttl,
} from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { testFolder } from '../folder.ts'

/** A cache of users with the clock it goes by and everything it said. */
export interface Rig {
  readonly tide: Tidemark
  readonly users: Resource<string, string>
  readonly clock: FakeClock
  readonly events: TidemarkEvent[]
}

/** Opens a cache that is closed when the test is over. */
export function open(
  tiers: NonNullable<TidemarkOptions['tiers']>,
  clock: FakeClock = new FakeClock(),
  more: Partial<ResourceOptions<string, string>> = {},
): Rig {
  const tide = createTidemark({ tiers, clock })
  onTestFinished(() => tide.close())
  const events: TidemarkEvent[] = []
  tide.on('event', (event) => events.push(event))
  const users = tide.resource<string, string>({
    name: 'users',
    load: async () => 'LOADED',
    freshness: ttl('1h'),
    ...more,
  })
  return { tide, users, clock, events }
}

/** Three tiers over files at a place, as the pool has them; the same place again is the same files. */
export function threeTiers(): (place: number, maxEntries?: number) => [Tier, Tier, Tier] {
  const folder = testFolder()
  return (place, maxEntries = 1_000) => [
    memory({ maxEntries }),
    jsonl({ path: join(folder, `${place}`) }),
    sqlite({ path: join(folder, `${place}.db`) }),
  ]
}

/** An entry that is kept for an hour. */
export function entryOf(clock: FakeClock, id: string, value: unknown, more: Partial<Entry> = {}): Entry {
  const hour = clock.now() + 3_600_000
  const times = { freshUntil: hour, staleUntil: hour, errorUntil: hour, keepUntil: hour }
  return { key: { name: 'users', id }, value, loadedAt: clock.now(), ...times, ...more }
}

/** A tier as another process would open it. */
export function attached(tier: Tier, clock: FakeClock): Tier {
  tier.attach?.({ clock, report: () => {} })
  onTestFinished(() => tier.close())
  return tier
}

/** The keys a tier lists, in order. */
export async function keysOf(tier: Tier): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of tier.keys({ kind: 'all' })) keys.push(key.id)
  return keys.toSorted()
}

/** Lets what needs no time to pass finish. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
}
