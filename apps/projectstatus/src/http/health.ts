import { Hono } from 'hono'
import type { ProjectStatusCache } from '../cache/cache.ts'
import type { ProjectDatabase } from '../database/project-database.ts'

/** A database that takes longer for `select 1` is as good as gone. */
const PROBE_MS_MAX = 2_000

interface Probe {
  readonly state: 'up' | 'down'
  readonly latency_ms: number
  readonly error?: string
}

/** `GET /health`: whether the database answers now, what the cache thinks of it, and what it has to stand in with. */
export function healthRoute(cache: ProjectStatusCache, database: ProjectDatabase): Hono {
  const app = new Hono()
  let probing: Promise<Probe> | undefined
  app.get('/health', async (c) => {
    // Who asks meanwhile shares the answer: a crowd that looks whether it is back must not keep it down.
    probing ??= probe(database).finally(() => (probing = undefined))
    const [{ state, ...probed }, stats, tiers] = await Promise.all([probing, cache.getStats(), cache.tiers()])
    const { state: breaker, reason, nextProbeAt } = cache.source
    return c.json(
      {
        status: state === 'up' && breaker === 'up' ? 'ok' : 'degraded',
        database: {
          state,
          ...probed,
          asked: breaker === 'up',
          last_failure: reason === '' ? null : reason,
          next_probe_at: nextProbeAt === undefined ? null : new Date(nextProbeAt).toISOString(),
        },
        cache: {
          entries: stats.totalEntries,
          stale: stats.staleEntries,
          vendors: stats.vendorsCached,
          work_items: stats.workItemsCached,
          oldest_age_seconds: Math.floor(stats.oldestEntryAgeSeconds),
          hits: stats.hits,
          misses: stats.misses,
          fallbacks: stats.fallbacks,
        },
        tiers: tiers.map(({ tier, state: tierState, reason: why }) => ({ tier, state: tierState, reason: why })),
      },
      200,
      { 'Cache-Control': 'no-store' },
    )
  })
  return app
}

async function probe(database: ProjectDatabase): Promise<Probe> {
  const began = performance.now()
  const latencyMs = (): number => Math.round((performance.now() - began) * 10) / 10
  const late = AbortSignal.timeout(PROBE_MS_MAX)
  try {
    await Promise.race([
      database.ping(),
      new Promise((_, reject) => {
        late.addEventListener('abort', () => reject(new Error(`no answer within ${PROBE_MS_MAX} ms`)), { once: true })
      }),
    ])
    return { state: 'up', latency_ms: latencyMs() }
  } catch (error) {
    return { state: 'down', latency_ms: latencyMs(), error: messageOf(error) }
  }
}

/** Failures to connect to several addresses come together, without a message of their own. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message === '' && 'code' in error ? String(error.code) : error.message
}
