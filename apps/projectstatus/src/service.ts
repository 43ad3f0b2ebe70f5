import type { Database } from '@tidemark/database'
import { door } from '@tidemark/serve'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { ProjectStatusCache } from './cache/cache.ts'
import type { CacheOptions } from './cache/options.ts'
import { ProjectDatabase } from './database/project-database.ts'
import { Outage } from './demo/outage.ts'
import { demoRoutes } from './http/demo-routes.ts'
import { failureOf } from './http/failure.ts'
import { healthRoute } from './http/health.ts'
import { pageRoutes } from './http/page-routes.ts'
import { statusRoutes, VersionError } from './http/routes.ts'

const BODY_BYTES_MAX = 1024 * 1024

/** Options of {@link openService}. */
export interface ServiceOptions extends Omit<CacheOptions, 'source'> {
  /** Closed by whoever opened it. */
  readonly database: Database
  /** Offers a switch that takes the database away. Defaults to `false`. */
  readonly isDemo?: boolean | undefined
  /** Names this service is called by, besides `localhost` and its addresses. Defaults to none. */
  readonly publicHosts?: readonly string[] | undefined
  /** Takes errors that are the service's own fault. Defaults to `console.error`. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** The service while it is open. */
export interface Service extends AsyncDisposable {
  readonly fetch: (request: Request) => Response | Promise<Response>
  readonly cache: ProjectStatusCache
  close(): Promise<void>
}

/**
 * Opens the cache and builds the routes. The database may be down: then what is cached is answered. Errors: those of
 * `createTidemark` for the path.
 */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { database, isDemo = false, publicHosts = [], onError = console.error, ...cacheOptions } = options
  const outage = isDemo ? new Outage() : undefined
  const projects = new ProjectDatabase(outage?.through(database) ?? database)
  const cache = await new ProjectStatusCache({ ...cacheOptions, source: projects }).open()

  const app = new Hono()
  app.use(
    secureHeaders({
      strictTransportSecurity: false,
      contentSecurityPolicy: { defaultSrc: ["'self'"] },
    }),
  )
  app.use(door(publicHosts))
  const tooLarge = { code: 'too-large', message: `A body may have ${BODY_BYTES_MAX} bytes.` }
  app.use(bodyLimit({ maxSize: BODY_BYTES_MAX, onError: (c) => c.json({ error: tooLarge }, 413) }))
  app.route('/', statusRoutes(cache, projects))
  app.route('/', healthRoute(cache, projects))
  app.route('/', pageRoutes())
  if (outage) app.route('/', demoRoutes(outage))
  app.notFound((c) =>
    c.json({ error: { code: 'no-such-route', message: `There is no ${c.req.method} ${c.req.path}.` } }, 404),
  )
  app.onError((error, c) => {
    const { status, retryAt, ...failure } = failureOf(error, () => cache.source.nextProbeAt)
    if (status === 500) onError(error)
    if (retryAt !== undefined) c.header('Retry-After', String(Math.max(1, Math.ceil((retryAt - Date.now()) / 1000))))
    return c.json({ error: failure, ...(error instanceof VersionError ? error.versions : undefined) }, status)
  })
  const close = (): Promise<void> => cache.close()
  return { fetch: (request) => app.fetch(request), cache, close, [Symbol.asyncDispose]: close }
}
