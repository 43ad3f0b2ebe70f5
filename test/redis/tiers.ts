import { Redis } from 'ioredis'
import { afterAll, onTestFinished } from 'vitest'
import { FOREVER, type Entry } from '../../src/entry.ts'
import type { ChangedSlots, Tier, TierReport } from 'tidemark'
import { redis, type RedisOptions } from 'tidemark/redis'
import { FakeClock } from 'tidemark/testing'
import { removeKeys } from './shared.ts'

const RUN = `tidemark-test-${process.pid}-${Date.now()}`

/** A tier as one process has it, with what it told its host and its cache. */
export interface Member {
  readonly tier: Tier
  readonly reports: TierReport[]
  /** What it told of others' changes. */
  readonly heard: ChangedSlots[]
}

/** Several processes' tiers over one prefix, and the Redis behind them. */
export interface Group {
  readonly prefix: string
  readonly client: Redis
  readonly clock: FakeClock
  readonly join: (options?: Partial<RedisOptions> & { readonly budgetMs?: number }) => Member
  /** All keys of the prefix. */
  readonly keys: () => Promise<string[]>
}

/** Makes groups over one Redis, each with a prefix of its own; everything of them is removed in the end. */
export function groupsOver(url: string): () => Group {
  const client = new Redis(url, { lazyConnect: true })
  let groups = 0
  afterAll(async () => {
    await removeKeys(client, RUN)
    client.disconnect()
  })
  return () => {
    const prefix = `${RUN}-${groups++}`
    const clock = new FakeClock()
    return {
      prefix,
      client,
      clock,
      join: ({ budgetMs, ...options } = {}) => joinGroup({ client, prefix, ...options }, clock, budgetMs),
      keys: async () => (await client.keys(`{${prefix}*`)).toSorted(),
    }
  }
}

function joinGroup(options: RedisOptions, clock: FakeClock, budgetMs: number | undefined): Member {
  const tier = redis(options)
  const reports: TierReport[] = []
  const heard: ChangedSlots[] = []
  tier.attach?.({ clock, report: (news) => reports.push(news), ...(budgetMs === undefined ? undefined : { budgetMs }) })
  tier.feed?.listen((changed) => heard.push(changed))
  onTestFinished(() => tier.close())
  return { tier, reports, heard }
}

/** An entry that lives for ever, unless told otherwise. */
export function entryOf(clock: FakeClock, id: string, value: unknown, more: Partial<Entry> = {}): Entry {
  return {
    key: { name: 'users', id },
    value,
    loadedAt: clock.now(),
    freshUntil: FOREVER,
    staleUntil: FOREVER,
    errorUntil: FOREVER,
    keepUntil: FOREVER,
    ...more,
  }
}

/** The value under a key of `users`. */
export async function valueOf({ tier }: Member, id: string): Promise<unknown> {
  return (await tier.get({ name: 'users', id }))?.value
}
