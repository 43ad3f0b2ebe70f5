import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Database } from '@tidemark/database'
import { door } from '@tidemark/serve'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { createTidemark, memory, sqlite, type Tidemark } from 'tidemark'
import { failureOf } from './http/failure.ts'
import { pageRoutes } from './http/page-routes.ts'
import { summaryRoutes } from './http/summary-routes.ts'
import { writeRoutes } from './http/write-routes.ts'
import { StateSummary, type SummaryOptions } from './summary/state-summary.ts'

/** What is larger is read by nobody: to parse it would hold up every other request. */
const BODY_BYTES_MAX = 1024 * 1024

/** Options of {@link openService}. */
export interface ServiceOptions extends SummaryOptions {
  /** From `openHubDatabase`; closed by whoever opened it. */
  readonly database: Database
  /** The file the last snapshot is kept in over a restart, shared by the processes of a machine. Without it: in memory. */
  readonly cachePath?: string | undefined
  /** Names this service is called by, besides `localhost` and its addresses. */
  readonly publicHosts?: readonly string[] | undefined
  /** Takes errors that are the service's own fault. Defaults to `console.error`. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** A running hub, and what answers requests about it. */
export interface Service extends AsyncDisposable {
  readonly fetch: (request: Request) => Response | Promise<Response>
  readonly tide: Tidemark
  readonly summary: StateSummary
  readonly close: () => Promise<void>
}

/** Opens the summary over a database and builds the routes. Errors: those of `createTidemark`. */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { database, cachePath, publicHosts = [], onError = console.error, ...summaryOptions } = options
  if (cachePath !== undefined) mkdirSync(dirname(cachePath), { recursive: true })
  const tiers = cachePath === undefined ? [memory()] : [memory(), sqlite({ path: cachePath })]
  const tide = createTidemark({ tiers, ...(options.clock ? { clock: options.clock } : undefined) })
  const summary = new StateSummary(tide, database, summaryOptions)
  await summary.ready
  const app = new Hono()
  app.use(
    secureHeaders({
      strictTransportSecurity: false,
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        connectSrc: ["'self'"],
        imgSrc: ["'self'"],
      },
    }),
  )
  app.use(door(publicHosts))
  const tooLarge = { code: 'too-large', message: `A body may have ${BODY_BYTES_MAX} bytes.` }
  app.use(bodyLimit({ maxSize: BODY_BYTES_MAX, onError: (c) => c.json({ error: tooLarge }, 413) }))
  app.route('/', summaryRoutes(summary, database))
  app.route('/', writeRoutes(database, summary.hook))
  app.route('/', pageRoutes())
  app.notFound((c) =>
    c.json({ error: { code: 'no-such-route', message: `There is no ${c.req.method} ${c.req.path}.` } }, 404),
  )
  app.onError((error, c) => {
    const { status, ...failure } = failureOf(error)
    if (status === 500) onError(error)
    return c.json({ error: failure }, status)
  })
  const close = async (): Promise<void> => {
    await summary.close()
    await tide.close()
  }
  return { fetch: (request) => app.fetch(request), tide, summary, close, [Symbol.asyncDispose]: close }
}
