import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client, Pool } from 'pg'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { postgres } from 'tidemark/postgres'
import { freePort } from '../redis/server.ts'
import { appOver, until, type App, type AppOptions } from '../tier/app.ts'

/** A PostgreSQL of one file's own, which may be stopped, crashed or filled; gone when the file is over. */
export interface PrivatePostgres {
  readonly url: (port?: number) => string
  readonly port: number
  readonly start: () => Promise<void>
  /** As an administrator does: sessions are ended, everything is written. */
  readonly stop: () => Promise<void>
  /** All its processes end at once, as when the power goes. */
  readonly crash: () => Promise<void>
  /** Ends every session, as an administrator can. */
  readonly endSessions: () => Promise<unknown>
  /** A connection that ends with the test. */
  readonly connect: () => Promise<Client>
  /** Runs a statement on a connection of its own. */
  readonly rows: (sql: string) => Promise<Record<string, unknown>[]>
}

/** Makes a server for a file of tests; `program` is that of the server. */
export function privatePostgres(program: string): PrivatePostgres {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-postgres-'))
  const data = join(folder, 'data')
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? serverUser() : undefined
  if (user) chownSync(folder, user.uid, user.gid)
  let port = 0
  let child: ChildProcess | undefined

  const url = (at: number = port): string => `postgres://postgres@127.0.0.1:${at}/postgres`
  const open = async (): Promise<Client> => {
    const client = new Client({ connectionString: url() })
    client.on('error', () => {})
    await client.connect()
    return client
  }
  const rows: PrivatePostgres['rows'] = async (sql) => {
    const client = await open()
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows
    } finally {
      await client.end()
    }
  }
  const start = async (): Promise<void> => {
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'max_connections=60']
    const args = ['-D', data, '-p', String(port), ...settings.flatMap((it) => ['-c', it])]
    child = spawn(program, args, { stdio: 'ignore', ...user })
    await until(() => rows('select 1').catch(() => undefined), 30_000)
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const it = child
    child = undefined
    if (!it || it.exitCode !== null || it.signalCode !== null) return
    const gone = new Promise((resolve) => it.once('exit', resolve))
    it.kill(signal)
    await gone
  }

  beforeAll(async () => {
    port = await freePort()
    const made = spawnSync(
      join(dirname(program), 'initdb'),
      ['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--no-locale', '-N'],
      { encoding: 'utf8', ...user },
    )
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
    await start()
  }, 60_000)
  afterAll(async () => {
    await end('SIGQUIT')
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  return {
    url,
    get port() {
      return port
    },
    start,
    stop: () => end('SIGINT'),
    crash: () => end('SIGQUIT'),
    endSessions: () =>
      rows(
        'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null',
      ),
    connect: async () => {
      const client = await open()
      onTestFinished(() => client.end())
      return client
    },
    rows,
  }
}

/** What one application over it can be made with. */
export interface PostgresAppOptions extends AppOptions {
  readonly schema: string
  /** The port of a line to the server. */
  readonly port?: number
  /** `false`: no announcements; PostgreSQL is asked. */
  readonly withNews?: boolean
  /** Settings of its connections. */
  readonly settings?: string
}

/** Starts an application over a server; it ends with the test. */
export function startApp(server: PrivatePostgres, options: PostgresAppOptions): App & { readonly pool: Pool } {
  const { schema, withNews = true, settings } = options
  const connectionString = server.url(options.port)
  const pool = new Pool({ connectionString, max: 10, ...(settings && { options: settings }) })
  pool.on('error', () => {})
  const listen = async (): Promise<Client> => {
    const client = new Client({ connectionString })
    await client.connect()
    return client
  }
  const tier = postgres({ client: pool, schema, ...(withNews && { listen }) })
  // A line that is silent never ends: nobody waits for it.
  return { ...appOver(tier, options, () => void pool.end()), pool }
}

/** Who the server's package runs it as. */
export function serverUser(): { readonly uid: number; readonly gid: number } {
  const idOf = (flag: string): number =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout || 65_534)
  return { uid: idOf('-u'), gid: idOf('-g') }
}
