import { listFrom, wholeFrom, type Environment } from '@tidemark/serve'

/** How the service is to run. */
export interface Settings {
  readonly port: number
  readonly host: string
  readonly dataDir: string
  /** What proxies are tried with. */
  readonly target: string | undefined
  readonly token: string | undefined
  readonly publicHosts: readonly string[]
  /** Local proxies to start, with a target of their own; 0 for none. */
  readonly demo: number
}

/**
 * `PORT` (8230), `HOST` (127.0.0.1), `DATA_DIR` (data), `CHECK_TARGET`, `API_TOKEN`, `PUBLIC_HOSTS`, `DEMO` (a number of local
 * proxies), and `TIDEMARK_KEYS`, the keyring. Throws a `RangeError` that names the variable.
 */
export function settingsFrom(env: Environment): Settings {
  return {
    port: wholeFrom(env, 'PORT', 8230, 65_535),
    host: env['HOST'] || '127.0.0.1',
    dataDir: env['DATA_DIR'] || 'data',
    target: env['CHECK_TARGET'] || undefined,
    token: env['API_TOKEN'] || undefined,
    publicHosts: listFrom(env, 'PUBLIC_HOSTS'),
    demo: wholeFrom(env, 'DEMO', 0, 100),
  }
}
