// An application over a tier that may fail, and waiting in real time: servers and connections have no other.

import { onTestFinished } from 'vitest'
import {
  createTidemark,
  memory,
  ttl,
  type Resource,
  type Tidemark,
  type TidemarkEvent,
  type Tier,
  type TierStatus,
} from 'tidemark'

/** What one application can be made with. */
export interface AppOptions {
  readonly budget?: number
  readonly failureThreshold?: number
  readonly coherence?: 'strict' | 'eventual'
  readonly withMemory?: boolean
  /** What a load brings; defaults to `loaded KEY`. */
  readonly load?: (key: string) => Promise<string>
}

/** One application: a cache with connections of its own, as in a process of its own. */
export interface App {
  readonly tide: Tidemark
  readonly users: Resource<string, string>
  readonly events: TidemarkEvent[]
  /** The state of the tier. */
  readonly status: () => Promise<TierStatus>
}

/** Starts an application over a tier; it ends with the test, and then `disconnect` is called. */
export function appOver(tier: Tier, options: AppOptions, disconnect: () => unknown): App {
  const { budget = 100, failureThreshold = 3, coherence = 'eventual', withMemory = true } = options
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
    await disconnect()
  })
  const status = async (): Promise<TierStatus> => (await tide.tiers()).at(-1) as TierStatus
  return { tide, users, events, status }
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
