import { wholeFrom, type Environment } from '@tidemark/serve'

/** How the showcase is to run: `PORT` (8100; the services take the ports of their own), `HOST` (127.0.0.1), `DATA_DIR` (data/showcase). */
export interface Settings {
  readonly port: number
  readonly host: string
  readonly dataDir: string
  /** The port of the seismograph gateway: `SEISMO_PORT` (8200). */
  readonly seismoPort: number
  /** The port of the proxy pool: `PROXYPOOL_PORT` (8230). */
  readonly proxypoolPort: number
}

/** Reads the environment. Throws a `RangeError` that names the variable. */
export function settingsFrom(env: Environment): Settings {
  return {
    port: wholeFrom(env, 'PORT', 8100, 65_535),
    host: env['HOST'] || '127.0.0.1',
    dataDir: env['DATA_DIR'] || 'data/showcase',
    seismoPort: wholeFrom(env, 'SEISMO_PORT', 8200, 65_535),
    proxypoolPort: wholeFrom(env, 'PROXYPOOL_PORT', 8230, 65_535),
  }
}
