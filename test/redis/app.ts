import type { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import {
  createTidemark,
  memory,
  ttl,
  type Resource,
  type Tidemark,
  type TidemarkEvent,
  type TierStatus,
} from 'tidemark'
import { redis } from 'tidemark/redis'
import type { PrivateServer } from './server.ts'

/** What one application over a Redis can be made with. */
export interface AppOptions {
  readonly budget?: number
  readonly failureThreshold?: number
  readonly coherence?: 'strict' | 'eventual'
  readonly withMemory?: boolean
  /** `false`: no connection for news; Redis is asked for them. */
  readonly withNews?: boolean
  /** Ports of lines to the server, for commands and for news. */
  readonly port?: number
  readonly newsPort?: number
  /** What a load brings; defaults to `loaded KEY`. */
  readonly load?: (key: string) => Promise<string>
}

/** One application: a cache with connections of its own, as in a process of its own. */
export interface App {
  readonly tide: Tidemark
  readonly users: Resource<string, string>
  readonly events: TidemarkEvent[]
  readonly client: Redis
  /** The state of its Redis tier. */
  readonly status: () => Promise<TierStatus>
}

/** Starts an application over a server; it ends with the test. */
export function startApp(server: PrivateServer, options: AppOptions = {}): App {
  const { budget = 100, failureThreshold = 3, coherence = 'eventual', withMemory = true, withNews = true } = options
  const client = server.connect(options.port)
  const news = withNews ? server.connect(options.newsPort ?? options.port) : undefined
  const tier = redis({ client, subscriber: news })
  const tiers = [...(withMemory ? [memory()] : []), { tier, budget, failureThreshold }]
  const tide = createTidemark({ tiers, coherence })
  const events: TidemarkEvent[] = []
  tide.on('event', (event) => events.push(event))
  const users = tide.resource<string, string>({
    name: 'users',
    load: options.load ?? (async (key) => `loaded ${key}`),
    freshness: ttl('1h'),
    scope: () => 'scope',
    tags: () => ['tag'],
  })
  onTestFinished(async () => {
    await tide.close()
    client.disconnect()
    news?.disconnect()
  })
  const status = async (): Promise<TierStatus> => (await tide.tiers()).at(-1) as TierStatus
  return { tide, users, events, client, status }
}

/** Waits until it holds; fails when that takes too long. Real time: servers and connections have no other. */
export async function until(holds: () => unknown, withinMs = 15_000): Promise<number> {
  const startedAt = performance.now()
  for (;;) {
    if (await holds()) return performance.now() - startedAt
    if (performance.now() - startedAt > withinMs)
      throw new Error(`did not hold within ${withinMs} ms: ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** How long something took, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** Lets real time pass. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
