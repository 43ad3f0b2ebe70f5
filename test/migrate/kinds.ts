import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll } from 'vitest'
import { jsonl, memory, sqlite, type Entry, type Tier } from 'tidemark'
import { postgres } from 'tidemark/postgres'
import { redis } from 'tidemark/redis'
import type { FakeClock } from 'tidemark/testing'
import { testFolder } from '../folder.ts'
import { emptyPlaces, schemasOver } from '../postgres/schemas.ts'
import { removeKeys } from '../redis/shared.ts'
import { requireService } from '../services.ts'

/** A test uses two. */
const SCHEMAS = 4

/** A kind of tier, and how one is opened at a place; the same place again is the same entries. */
export interface Kind {
  readonly kind: 'memory' | 'jsonl' | 'sqlite' | 'redis' | 'postgres'
  readonly open: (place: number) => Tier
}

/** Every kind of tier there is; Redis and PostgreSQL where they answer. */
export async function tierKinds(): Promise<Kind[]> {
  const folder = testFolder()
  const held = new Map<number, Tier>()
  const kinds: Kind[] = [
    {
      kind: 'memory',
      open: (place) => {
        const tier = held.get(place) ?? memory({ maxEntries: 10_000 })
        held.set(place, tier)
        // What lies in memory is gone when it is closed; here it is looked at again.
        return unclosed(tier)
      },
    },
    { kind: 'jsonl', open: (place) => jsonl({ path: join(folder, `${place}`, 'segments') }) },
    { kind: 'sqlite', open: (place) => sqlite({ path: join(folder, `${place}`, 'cache.db') }) },
  ]
  await requireService('redis', (url) => {
    const client = new Redis(url, { lazyConnect: true })
    const prefix = `tidemark-migrate-${process.pid}-${Date.now()}`
    kinds.push({ kind: 'redis', open: (place) => redis({ client, prefix: `${prefix}-${place}` }) })
    afterAll(async () => {
      await removeKeys(client, prefix)
      client.disconnect()
    })
  })
  await requireService('postgres', (url) => {
    const placeAt = emptyPlaces(schemasOver(url), SCHEMAS)
    kinds.push({ kind: 'postgres', open: (place) => postgres(placeAt(place)) })
  })
  return kinds
}

let places = 0
/** A place nobody has used. */
export function newPlace(): number {
  return places++
}

/** Looks at a tier, or puts something into it, as the only one who has it open. */
export async function opened<T>(
  kind: Kind,
  place: number,
  clock: FakeClock,
  work: (tier: Tier) => T,
): Promise<Awaited<T>> {
  const tier = kind.open(place)
  tier.attach?.({ clock, report: () => {} })
  try {
    return await work(tier)
  } finally {
    await tier.close()
  }
}

/** Everything a tier has, by name and key, without what it measured. */
export function contents(kind: Kind, place: number, clock: FakeClock): Promise<Record<string, Entry>> {
  return opened(kind, place, clock, async (tier) => {
    const found: Record<string, Entry> = {}
    for await (const { key } of tier.keys({ kind: 'all' })) {
      const entry = await tier.get(key)
      if (entry) found[`${key.name} ${key.id}`] = plain(entry)
    }
    return found
  })
}

/** Puts entries in, as they are. */
export function fill(kind: Kind, place: number, clock: FakeClock, entries: readonly Entry[]): Promise<void> {
  return opened(kind, place, clock, async (tier) => {
    await Promise.all(entries.map((entry) => tier.put(entry)))
  })
}

/** An entry that lives for an hour. */
export function entryOf(clock: FakeClock, id: string, value: unknown, more: Partial<Entry> = {}): Entry {
  const hour = clock.now() + 3_600_000
  const times = { freshUntil: hour, staleUntil: hour, errorUntil: hour, keepUntil: hour }
  return { key: { name: 'things', id }, value, loadedAt: clock.now(), ...times, ...more }
}

function plain(entry: Entry): Entry {
  const { bytes: _, ...rest } = entry
  return Object.fromEntries(Object.entries(rest).filter(([, it]) => it !== undefined)) as unknown as Entry
}

function unclosed(tier: Tier): Tier {
  return {
    name: tier.name,
    capabilities: tier.capabilities,
    attach: (host) => tier.attach?.(host),
    get: (key) => tier.get(key),
    lease: () => tier.lease(),
    put: (entry, lease) => tier.put(entry, lease),
    remove: (selector, staleAt) => tier.remove(selector, staleAt),
    keys: (selector) => tier.keys(selector),
    count: (selector) => tier.count(selector),
    sweep: (now, limit) => tier.sweep(now, limit),
    close: () => {},
  }
}
