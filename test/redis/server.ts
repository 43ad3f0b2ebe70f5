import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'

/** What the server is called, by whoever packs it. */
export const SERVER_PROGRAMS = ['redis-server', 'valkey-server'] as const

const STARTED_WITHIN_MS = 10_000

/** A Redis of one test's own, which may be stopped, frozen, filled or emptied; gone when the test is over. */
export class PrivateServer {
  readonly port: number
  readonly #program: string
  readonly #options: readonly string[]
  #child: ChildProcess | undefined

  constructor(program: string, port: number, options: readonly string[]) {
    this.#program = program
    this.port = port
    this.#options = options
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it, without data unless its options name some; resolves when it answers. */
  async start(): Promise<void> {
    const child = spawn(
      this.#program,
      ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...this.#options],
      { stdio: 'ignore' },
    )
    this.#child = child
    const giveUpAt = performance.now() + STARTED_WITHIN_MS
    while (!(await this.#answers())) {
      if (performance.now() > giveUpAt || child.exitCode !== null) throw new Error(`${this.#program} did not start`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** Ends it at once; what is not on disk is lost. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** It takes connections and commands, and answers nothing. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  /** It goes on, with all it was sent meanwhile. */
  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Sends one command on a connection of its own, also to a server that is busy. */
  async command(name: string, ...args: (string | number)[]): Promise<unknown> {
    const client = new Redis({ port: this.port, enableReadyCheck: false, retryStrategy: () => null })
    client.on('error', () => {})
    try {
      return await client.call(name, ...args)
    } finally {
      client.disconnect()
    }
  }

  /** A client that reconnects fast, so that a test does not wait for it, and waits for ever. */
  connect(port: number = this.port): Redis {
    return new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: null })
  }

  async #answers(): Promise<boolean> {
    const client = new Redis({ port: this.port, lazyConnect: true, retryStrategy: () => null })
    client.on('error', () => {})
    try {
      await client.connect()
      return (await client.ping()) === 'PONG'
    } catch {
      return false
    } finally {
      client.disconnect()
    }
  }
}

/** Starts a server that ends with the test. */
export async function startServer(program: string, ...options: string[]): Promise<PrivateServer> {
  const server = new PrivateServer(program, await freePort(), options)
  onTestFinished(() => server.stop())
  await server.start()
  return server
}

/** A port nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const listening = createServer()
    listening.once('error', reject)
    listening.listen(0, '127.0.0.1', () => {
      const address = listening.address()
      listening.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
