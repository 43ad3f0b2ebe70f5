import { Redis } from 'ioredis'
import { afterAll } from 'vitest'
import { redis, type RedisOptions } from 'tidemark/redis'
import { FakeClock } from 'tidemark/testing'
import { memberOf, type Member } from '../tier/member.ts'
import { removeKeys } from './shared.ts'

export { entryOf, valueOf, type Member } from '../tier/member.ts'

const RUN = `tidemark-test-${process.pid}-${Date.now()}`

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
      join: ({ budgetMs, ...options } = {}) => memberOf(redis({ client, prefix, ...options }), clock, budgetMs),
      keys: async () => (await client.keys(`{${prefix}*`)).toSorted(),
    }
  }
}
