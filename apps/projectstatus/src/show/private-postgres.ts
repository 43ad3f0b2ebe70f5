import { execFile, type ExecFileOptions } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const INSTALLED = '/usr/lib/postgresql'

/** The folder of `initdb` and `pg_ctl`, newest version first; `undefined` where PostgreSQL is not installed. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED).toSorted((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((version) => join(INSTALLED, version, 'bin')), ...pathFolders()]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl')))
}

/** A PostgreSQL of one's own, in a temporary folder, that may be stopped and started. */
export class PrivatePostgres implements AsyncDisposable {
  readonly port: number
  readonly #programs: string
  readonly #folder: string
  readonly #as: ExecFileOptions

  private constructor(programs: string, folder: string, as: ExecFileOptions, port: number) {
    this.#programs = programs
    this.#folder = folder
    this.#as = as
    this.port = port
  }

  /** Makes a cluster and starts it. */
  static async start(programs: string): Promise<PrivatePostgres> {
    const folder = mkdtempSync(join(tmpdir(), 'projectstatus-postgres-'))
    // It refuses to run as root.
    const user = process.getuid?.() === 0 ? unprivileged() : undefined
    if (user) chownSync(folder, user.uid, user.gid)
    const postgres = new PrivatePostgres(programs, folder, { ...user, cwd: folder }, await freePort())
    const data = join(folder, 'data')
    const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C.UTF-8']
    await run(join(programs, 'initdb'), initdb, postgres.#as)
    await postgres.start()
    return postgres
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const options = `-p ${this.port} -k ${this.#folder} -c listen_addresses=127.0.0.1 -c fsync=off`
    await this.#control(['-w', '-l', join(this.#folder, 'log'), '-o', options, 'start'])
  }

  /** As a machine that loses its power: whoever is connected is cut off. */
  async stop(): Promise<void> {
    await this.#control(['-w', '-m', 'immediate', 'stop'])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {})
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #control(args: readonly string[]): Promise<void> {
    await run(join(this.#programs, 'pg_ctl'), ['-D', join(this.#folder, 'data'), ...args], this.#as)
  }
}

/** Whom PostgreSQL runs as when we are root: its own user, or nobody. */
function unprivileged(): { uid: number; gid: number } {
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`.')
}

function pathFolders(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
