// The environment of the gateway, read once at the start.

import { listFrom, wholeFrom, type Environment } from '@tidemark/serve'

/** How the gateway is to run. */
export interface Settings {
  readonly port: number
  readonly host: string
  /** The folder of the database. */
  readonly dataDir: string
  /** Connection keys. */
  readonly units: readonly string[]
  readonly allowHosts: readonly string[]
  readonly publicHosts: readonly string[]
  /** How many simulated units to start; 0 for none. */
  readonly simulate: number
}

/**
 * `PORT` (8200), `HOST` (127.0.0.1), `DATA_DIR` (data), `UNITS` (`10.0.0.7:12345,10.0.0.8`), `ALLOW_HOSTS`, `PUBLIC_HOSTS`
 * (comma-separated), `SIMULATE` (a number of units). Throws a `RangeError` that names the variable.
 */
export function settingsFrom(env: Environment): Settings {
  return {
    port: wholeFrom(env, 'PORT', 8200, 65_535),
    host: env['HOST'] || '127.0.0.1',
    dataDir: env['DATA_DIR'] || 'data',
    units: listFrom(env, 'UNITS').map(unitKey),
    allowHosts: listFrom(env, 'ALLOW_HOSTS'),
    publicHosts: listFrom(env, 'PUBLIC_HOSTS'),
    simulate: wholeFrom(env, 'SIMULATE', 0, 100),
  }
}

function unitKey(entry: string): string {
  if (/^(tcp|serial):.+:\d+$/.test(entry)) return entry
  const [, host, port = '12345'] = /^([^\s:]+|\[[^\]]+\])(?::(\d{1,5}))?$/.exec(entry) ?? []
  if (host === undefined) throw new RangeError(`Expected UNITS to list units like 10.0.0.7:12345, got '${entry}'.`)
  return `tcp:${host.replace(/^\[(.*)\]$/, '$1')}:${port}`
}
