import { door } from '@tidemark/serve'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import type { Clock } from 'tidemark'
import { parseConnKey } from './cache/conn-key.ts'
import { DeviceCache } from './cache/device-cache.ts'
import { Encoder } from './encoding/encoder.ts'
import { WaveformBodies } from './encoding/waveform-bodies.ts'
import { EventFiles } from './event-file/event-files.ts'
import { Filing, filed } from './event-file/filing.ts'
import type { EventRecording } from './event-file/recording.ts'
import { Downloads } from './fleet/downloads.ts'
import { Lines, type Dial } from './fleet/lines.ts'
import { Operations } from './fleet/operations.ts'
import { Permit } from './fleet/permit.ts'
import { unitSource } from './fleet/unit-source.ts'
import { cacheRoutes } from './http/cache-routes.ts'
import { deviceRoutes } from './http/device-routes.ts'
import { failureOf } from './http/failure.ts'
import { deviceFileRoute, fileRoutes } from './http/file-routes.ts'
import { filesPageRoutes } from './http/files-page-routes.ts'
import { pageRoutes } from './http/page-routes.ts'
import { UnitError } from './unit/client.ts'
import { TcpSeismographClient } from './unit/tcp-client.ts'

/** Nothing that is sent here is longer. */
const BODY_BYTES_MAX = 64 * 1024

/** Options of {@link openGateway}. */
export interface GatewayOptions {
  /** The database file, or `':memory:'`. Defaults to `data/seismo.db`. */
  readonly path?: string | undefined
  /** Connection keys of the units the page shows from the start. Defaults to none. */
  readonly units?: readonly string[] | undefined
  /** What may be dialled besides this machine and `units`: see {@link Permit}. Defaults to nothing. */
  readonly allowHosts?: readonly string[] | undefined
  /** Names this gateway is called by, besides `localhost` and its addresses. Defaults to none. */
  readonly publicHosts?: readonly string[] | undefined
  /** Makes the client for an address. Defaults to {@link TcpSeismographClient}. */
  readonly dial?: Dial | undefined
  /** The folder that every downloaded waveform is kept in as an event file. Defaults to none: nothing is kept but the cache. */
  readonly eventFiles?: string | undefined
  /** Where time comes from. Defaults to the process's own. */
  readonly clock?: Clock | undefined
  /** Takes errors that are the gateway's own fault. Defaults to `console.error`. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** A gateway that is open: what answers requests, and the cache behind it. */
export interface Gateway extends AsyncDisposable {
  readonly fetch: (request: Request) => Response | Promise<Response>
  readonly cache: DeviceCache
  close(): Promise<void>
}

/**
 * Opens the cache and builds the routes. Nothing is dialled before a request needs it.
 *
 * @throws `RangeError`, `TypeError` for options that do not fit; the errors of `createTidemark` for the path
 */
export async function openGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const { path, clock, units = [], dial = dialTcp, onError = console.error } = options
  const permit = new Permit([...(options.allowHosts ?? []), ...units.map(hostOf)])
  const lines = new Lines(dial)
  const encoder = new Encoder()
  const downloads = new Downloads()
  let files: EventFiles | undefined
  let filing: Filing | undefined
  const source = filed(unitSource(lines, downloads), () => filing)
  const cache = await DeviceCache.open({ path, clock, source })
  if (options.eventFiles !== undefined) {
    const encode = (of: EventRecording, encoderVersion: number): Promise<Uint8Array> =>
      encoder.encode({ make: 'event-file', of, encoderVersion })
    files = new EventFiles(cache, { root: options.eventFiles, encode })
    filing = new Filing(files, onError)
  }
  const operations = new Operations(lines, cache)

  const app = new Hono()
  app.use(
    secureHeaders({
      strictTransportSecurity: false,
      contentSecurityPolicy: { defaultSrc: ["'self'"], styleSrc: ["'self'", "'unsafe-inline'"] },
    }),
  )
  app.use(door(options.publicHosts ?? []))
  // Asking a GET for its body makes the whole of a request that is otherwise never looked at.
  app.on(['POST', 'PUT', 'PATCH', 'DELETE'], '*', bodyLimit({ maxSize: BODY_BYTES_MAX, onError: tooLarge }))
  app.route('/device', deviceRoutes({ cache, bodies: new WaveformBodies(encoder), operations, permit, filing }))
  app.route('/', cacheRoutes(cache, { units, lines, downloads }, permit))
  app.route('/', pageRoutes())
  if (files) {
    app.route('/device', deviceFileRoute(cache, files, permit))
    app.route('/event-files', fileRoutes(files, encoder))
    app.route('/', filesPageRoutes())
  }
  app.notFound((c) =>
    c.json({ error: { code: 'no-such-route', message: `There is no ${c.req.method} ${c.req.path}.` } }, 404),
  )
  app.onError((error, c) => {
    const { status, ...failure } = failureOf(error)
    if (status === 500) onError(error)
    return c.json({ error: failure }, status)
  })

  const close = async (): Promise<void> => {
    filing?.stop()
    // The cache first: it gives up the loads that hold the lines.
    await cache.close()
    await filing?.idle()
    await Promise.all([lines.close(), encoder.close()])
  }
  return { fetch: (request) => app.fetch(request), cache, close, [Symbol.asyncDispose]: close }
}

function hostOf(unit: string): string {
  const address = parseConnKey(unit)
  return 'host' in address ? address.host : `serial:${address.port}`
}

const dialTcp: Dial = (address) => {
  if ('host' in address) return new TcpSeismographClient({ host: address.host, port: address.tcpPort ?? 0 })
  throw new UnitError(
    'unit-refused',
    `No driver for the serial line ${address.port}: give the gateway one as \`dial\`.`,
  )
}

function tooLarge(c: Context): Response {
  const message = `A body may have ${BODY_BYTES_MAX} bytes.`
  return c.json({ error: { code: 'too-large', message } }, 413)
}
