import { door } from '@tidemark/serve'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { failureOf } from './http/failure.ts'
import { poolPage } from './http/page.ts'
import { poolRoutes } from './http/routes.ts'
import { connectCheck } from './pool/connect-check.ts'
import type { PoolOptions } from './pool/options.ts'
import { ProxyPool } from './pool/pool.ts'

/** Options of {@link openService}. */
export interface ServiceOptions extends Omit<PoolOptions, 'check'> {
  /** What is asked for through a proxy to try it. */
  readonly target: string
  /** Who shows it gets credentials with `next`; without one nobody does. */
  readonly token?: string | undefined
  /** Names this service is called by, besides `localhost` and its addresses. */
  readonly publicHosts?: readonly string[] | undefined
  /** Takes errors that are the service's own fault. Defaults to `console.error`. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** A running pool, and what answers requests about it. */
export interface Service extends AsyncDisposable {
  readonly fetch: (request: Request) => Response | Promise<Response>
  readonly pool: ProxyPool
  readonly close: () => Promise<void>
}

/** A proxy, or the error of a use, is never longer. */
const BODY_BYTES_MAX = 64 * 1024

/** Opens the pool and builds the routes. Errors: those of `createTidemark`; `RangeError` for a target that is no address. */
export function openService({
  target,
  token,
  publicHosts = [],
  onError = console.error,
  ...options
}: ServiceOptions): Service {
  if (!URL.canParse(target)) throw new RangeError('Expected the target to be an address, such as https://example.org/.')
  const pool = new ProxyPool({ ...options, check: connectCheck(target) })
  const app = new Hono()
  app.use(
    secureHeaders({
      strictTransportSecurity: false,
      contentSecurityPolicy: { defaultSrc: ["'none'"], styleSrc: ["'unsafe-inline'"] },
    }),
  )
  app.use(door(publicHosts))
  const limited = bodyLimit({ maxSize: BODY_BYTES_MAX, onError: tooLarge })
  // An import is read as it comes and never held as a whole; asking a GET for its body makes the whole of a request that is
  // otherwise never looked at.
  app.on(['POST', 'PUT', 'PATCH', 'DELETE'], '*', (c, next) => (c.req.path === '/import' ? next() : limited(c, next)))
  app.route('/', poolRoutes(pool, token))
  app.route('/', poolPage(pool))
  app.notFound((c) =>
    // Not by its path: an address with its credentials may be in it.
    c.json({ error: { code: 'no-such-route', message: 'There is no such route; the README names them.' } }, 404),
  )
  app.onError((error, c) => {
    const { status, ...failure } = failureOf(error)
    if (status === 500) onError(error)
    return c.json({ error: failure }, status)
  })
  const close = (): Promise<void> => pool.close()
  return { fetch: (request) => app.fetch(request), pool, close, [Symbol.asyncDispose]: close }
}

function tooLarge(c: Context): Response {
  return c.json({ error: { code: 'too-large', message: `A body may have ${BODY_BYTES_MAX} bytes.` } }, 413)
}
