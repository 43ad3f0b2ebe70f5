// Services tests need. Where one is missing, what needs it counts as skipped and says how to start it; with
// REQUIRE_SERVICES=1 it fails instead.

import { existsSync, globSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { describe, it } from 'vitest'

/** A service, and how a person starts it. */
interface Service {
  readonly title: string
  readonly url: string
  readonly port: number
  readonly start: string
}

/** Every service, with the address it is looked for at: the variable's, or the one it has by itself. */
export const SERVICES = {
  redis: {
    title: 'Redis',
    url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
    port: 6379,
    start: 'docker compose up -d valkey, or redis-server; REDIS_URL names another one',
  },
  postgres: {
    title: 'PostgreSQL',
    url: process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test',
    port: 5432,
    start: 'docker compose up -d postgres, or a server with a database `test`; DATABASE_URL names another one',
  },
} as const satisfies Record<string, Service>

const REACHED_WITHIN_MS = 2_000

/**
 * Defines tests that need a service; the address is handed to them.
 *
 * @example
 * await requireService('redis', (url) => {
 *   it('answers', async () => { … })
 * })
 */
export async function requireService(name: keyof typeof SERVICES, define: (url: string) => void): Promise<void> {
  const service: Service = SERVICES[name]
  if (await isReachable(service)) {
    define(service.url)
    return
  }
  missing(service.title, `${service.title} does not answer at ${service.url}. Start it: ${service.start}.`)
}

/** Where programs lie that are not on the path: Debian keeps those of PostgreSQL by version. */
const FOLDERS = globSync('/usr/lib/postgresql/*/bin')

/** Defines tests that start a program of their own: the first of these that is installed. Its path is handed to them. */
export function requireProgram(names: readonly string[], define: (path: string) => void): void {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...FOLDERS]
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
  if (found !== undefined) define(found)
  else missing(names[0] as string, `None of ${names.join(', ')} is installed. Install one of them.`)
}

function missing(title: string, message: string): void {
  describe(title, () => {
    it(`is there (${message})`, (context) => {
      if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(message)
      context.skip(message)
    })
  })
}

function isReachable({ url, port }: Service): Promise<boolean> {
  const at = new URL(url)
  return new Promise((resolve) => {
    const socket = connect({ host: at.hostname, port: Number(at.port || port) })
    const settle = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(REACHED_WITHIN_MS, () => settle(false))
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}
