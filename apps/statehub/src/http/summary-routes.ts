import type { Database } from '@tidemark/database'
import { Hono } from 'hono'
import type { ViewReading, ViewStatus } from 'tidemark'
import { respond, wantsRefresh } from 'tidemark/http'
import type { StateSummary } from '../summary/state-summary.ts'
import { RequestError } from './failure.ts'

/** What an answer is called in the header; `partial` is always the section of the newest events. */
const OUTCOMES: Readonly<Record<ViewStatus, string>> = {
  hit: 'hit-revision',
  stale: 'stale',
  miss: 'miss',
  partial: 'progress-section',
}
const SECTIONS = ['all', 'core', 'progress'] as const
const CACHE_CONTROL = { maxAge: '15s', staleWhileRevalidate: '120s' } as const

/** The summary, what is known about it, and what may be done to it. */
export function summaryRoutes(summary: StateSummary, database: Database): Hono {
  const app = new Hono()

  app.get('/state/summary', async ({ req }) => {
    const begun = performance.now()
    const reading = await summary.resolve({ refresh: wantsRefresh(req.raw) })
    const headers = { ...headersOf(reading), 'X-StateHub-Elapsed-Ms': (performance.now() - begun).toFixed(3) }
    return respond(req.raw, reading, { cache: 'statehub', ...CACHE_CONTROL, headers })
  })

  // Never builds: it is asked by what watches the service, also while the database is down.
  app.get('/state/health', async (c) => {
    const { status, reason, sections, staleFor, loading, lastFailure, error } = await summary.explain()
    const { requests, hits, loads, loadFailures, staleHits } = await summary.view.stats()
    return c.json(
      {
        status: error === undefined && lastFailure === undefined ? 'ok' : 'degraded',
        database: { kind: database.kind, schema: database.schema },
        summary: {
          next_read: OUTCOMES[status],
          reason,
          stale_for_ms: Number.isFinite(staleFor) ? staleFor : null,
          building_since: loading?.since ?? null,
          sections: sections.map(({ section, state, revision, current, builtAt, asOf }) => ({
            section,
            state,
            revision,
            current,
            built_at: builtAt,
            as_of: asOf,
          })),
        },
        last_error: lastFailure ? messageOf(lastFailure.error) : error === undefined ? null : messageOf(error),
        stats: { requests, hits, stale_hits: staleHits, builds: loads, failed_builds: loadFailures },
      },
      200,
      { 'Cache-Control': 'no-store' },
    )
  })

  app.get('/state/revisions', async (c) => {
    const { combined, sections } = await summary.fingerprints()
    return c.json({ combined, sections }, 200, { 'Cache-Control': 'no-store' })
  })

  app.post('/invalidate', async (c) => {
    const section = sectionOf(await c.req.text())
    await summary.invalidate(section)
    return c.json({ invalidated: section })
  })

  app.post('/reset', async (c) => {
    await summary.reset()
    return c.json({ reset: true })
  })

  return app
}

/** Of a request to invalidate; without a body or a section: all. Errors: `RequestError`. */
function sectionOf(text: string): (typeof SECTIONS)[number] {
  const body = text === '' ? {} : parsed(text)
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  const { section: given = 'all' } = (isObject ? body : { section: undefined }) as { section?: unknown }
  const section = isObject ? SECTIONS.find((it) => it === given) : undefined
  if (section !== undefined) return section
  const message = isObject
    ? `Expected \`section\` to be one of ${SECTIONS.join(', ')}.`
    : 'Expected `body` to be a JSON object, or nothing.'
  throw new RequestError({ status: 400, code: 'bad-parameter', message })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function headersOf({ status, revision }: ViewReading<unknown>): Record<string, string> {
  return { 'X-StateHub-Cache': OUTCOMES[status], 'X-StateHub-Revision': revision }
}

/** Database errors name tables and columns, never data or passwords; their first line is enough. */
function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 200) ?? ''
}
