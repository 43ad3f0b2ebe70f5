import { wholeFrom, type Environment } from '@tidemark/serve'

/** How the showcase is to run: `PORT` (8100; the services take the ports of their own), `HOST` (127.0.0.1), `DATA_DIR` (data/showcase). */
export interface Settings {
  readonly port: number
  readonly host: string
  readonly dataDir: string
  /** The port of the seismograph gateway: `SEISMO_PORT` (8200). */
  readonly seismoPort: number
  /** The port of the state summary: `STATEHUB_PORT` (8210). */
  readonly statehubPort: number
  /** The port of the project status: `PROJECTSTATUS_PORT` (8220). */
  readonly projectstatusPort: number
  /** The port of the proxy pool: `PROXYPOOL_PORT` (8230). */
  readonly proxypoolPort: number
}

/** Reads the environment. Throws a `RangeError` that names the variable. */
export function settingsFrom(env: Environment): Settings {
  const port = (name: string, otherwise: number): number => wholeFrom(env, name, otherwise, 65_535)
  return {
    port: port('PORT', 8100),
    host: env['HOST'] || '127.0.0.1',
    dataDir: env['DATA_DIR'] || 'data/showcase',
    seismoPort: port('SEISMO_PORT', 8200),
    statehubPort: port('STATEHUB_PORT', 8210),
    projectstatusPort: port('PROJECTSTATUS_PORT', 8220),
    proxypoolPort: port('PROXYPOOL_PORT', 8230),
  }
}
