// Caches with secrets over every tier that outlives the process, and what lies in those tiers as it lies there.

import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, describe, onTestFinished } from 'vitest'
import {
  createTidemark,
  jsonl,
  memory,
  sqlite,
  ttl,
  type Entry,
  type Resource,
  type Tidemark,
  type TidemarkEvent,
  type TidemarkOptions,
  type Tier,
  type TierOptions,
} from 'tidemark'
import { redis } from 'tidemark/redis'
import type { Keyring } from 'tidemark/seal'
import { FakeClock } from 'tidemark/testing'
import { testFolder } from '../folder.ts'
import { removeKeys } from '../redis/shared.ts'
import { requireService } from '../services.ts'

/** A value with secrets. */
export interface Proxy {
  readonly url: string
  readonly username?: string
  readonly password?: string
}

/** A cache of proxies, with everything it said. */
export interface Pool {
  readonly tide: Tidemark
  readonly clock: FakeClock
  readonly events: TidemarkEvent[]
  readonly proxies: Resource<string, Proxy>
  /** The keys the source was asked for. */
  readonly loads: string[]
}

/** What the source says of a key. */
export function proxyOf(key: string): Proxy {
  return { url: `http://${key}:3128`, username: `user-${key}`, password: `password-${key}` }
}

/** A tier to run over, alone or behind memory. */
export interface SealedStack {
  /** The tier below, by its name. */
  readonly lowest: 'sqlite' | 'jsonl' | 'redis'
  /** A place nobody has used. */
  readonly place: () => number
  /** A cache at a place. `source`: what its loader does; by default it answers. */
  readonly open: (place: number, keyring: Keyring | undefined, source?: (key: string) => Proxy | Promise<Proxy>) => Pool
  /** The tier of a place with no seal before it. */
  readonly bare: (place: number) => Tier
  /** All bytes at a place: of files with what lies beside them, or of everything under a prefix. */
  readonly bytes: (place: number) => Promise<Buffer>
}

type Lower = Pick<SealedStack, 'lowest' | 'bytes'> & { tier: (place: number) => TierOptions }

/** Runs the tests over each tier alone, and over memory in front of it. */
export async function eachSealedStack(define: (stack: SealedStack) => void): Promise<void> {
  const folder = testFolder()
  let places = 0
  const lower: Lower[] = [
    {
      lowest: 'sqlite',
      tier: (place) => ({ tier: sqlite({ path: join(folder, `${place}`, 'cache.db') }) }),
      bytes: async (place) => filesIn(join(folder, `${place}`)),
    },
    {
      lowest: 'jsonl',
      tier: (place) => ({ tier: jsonl({ path: join(folder, `${place}`, 'segments') }) }),
      bytes: async (place) => filesIn(join(folder, `${place}`)),
    },
  ]
  await requireService('redis', (url) => {
    const client = new Redis(url, { lazyConnect: true })
    const run = `tidemark-test-seal-${process.pid}-${Date.now()}`
    lower.push({
      lowest: 'redis',
      tier: (place) => ({ tier: redis({ client, prefix: `${run}-${place}` }), budget: '10s' }),
      bytes: (place) => keysUnder(client, `${run}-${place}`),
    })
    afterAll(async () => {
      await removeKeys(client, run)
      client.disconnect()
    })
  })
  for (const { lowest, tier, bytes } of lower) {
    for (const isBehind of [false, true]) {
      describe(isBehind ? `memory + ${lowest}` : lowest, () => {
        const clock = new FakeClock()
        define({
          lowest,
          place: () => ++places,
          open: (place, keyring, source) =>
            pool({ tiers: isBehind ? [memory(), tier(place)] : [tier(place)], keyring, clock }, source),
          bare: (place) => bare(tier(place).tier, clock),
          bytes,
        })
      })
    }
  }
}

/** A cache of proxies over any tiers; closed when the test is over. */
export function pool(
  options: TidemarkOptions & { clock: FakeClock },
  source: (key: string) => Proxy | Promise<Proxy> = proxyOf,
): Pool {
  const tide = createTidemark(options)
  onTestFinished(() => tide.close())
  const events: TidemarkEvent[] = []
  tide.on('event', (event) => events.push(event))
  const loads: string[] = []
  const proxies = tide.resource({
    name: 'proxies',
    load: (key: string) => {
      loads.push(key)
      return source(key)
    },
    ...(options.keyring && { secrets: ['username', 'password'] }),
    freshness: ttl('1h'),
    keep: '1d',
  })
  return { tide, clock: options.clock, events, proxies, loads }
}

/** Everything that comes. */
export async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** The reasons of what did not open, in order. */
export function unopened(events: readonly TidemarkEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'unopened' ? [event.reason] : []))
}

/** Changes what lies under a key, as somebody would who can write where it lies. */
export async function tamper(tier: Tier, id: string, change: (entry: Entry) => Entry): Promise<void> {
  const entry = await tier.get({ name: 'proxies', id })
  if (!entry) throw new Error(`There is nothing under ${id}.`)
  await tier.put(change(entry))
}

function bare(tier: Tier, clock: FakeClock): Tier {
  tier.attach?.({ clock, report: () => {} })
  onTestFinished(async () => tier.close())
  return tier
}

/** Read by another process: to read a live database's file in this one would drop its locks. */
function filesIn(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((it) => it.isFile())
  const paths = files.map((it) => join(it.parentPath, it.name))
  return Buffer.concat([Buffer.from(paths.join()), execFileSync('cat', paths, { maxBuffer: 256 * 1024 * 1024 })])
}

async function keysUnder(client: Redis, prefix: string): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const keys of client.scanStream({ match: `{${prefix}*`, count: 1000 }) as AsyncIterable<string[]>) {
    for (const key of keys) {
      // Of any type: a dump has its members, short ones as they are.
      parts.push(Buffer.from(key), (await client.dumpBuffer(key)) ?? Buffer.alloc(0))
      if ((await client.type(key)) === 'string') parts.push((await client.getBuffer(key)) ?? Buffer.alloc(0))
    }
  }
  return Buffer.concat(parts)
}
