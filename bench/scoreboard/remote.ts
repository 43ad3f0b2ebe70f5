import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { Redis } from 'ioredis'

/** Clients fail at once where nobody listens, instead of queueing: what a cache in front of a source wants. */
const FAIL_FAST = { enableOfflineQueue: false, maxRetriesPerRequest: 1, retryStrategy: () => 50 } as const

/** The Redis everyone shares, behind a door of our own that can stop answering. */
export class Remote {
  readonly prefix: string
  readonly #origin: URL
  readonly #sockets = new Set<Socket>()
  readonly #clients: Redis[] = []
  #server: Server | undefined
  #port = 0
  #hangs = false

  private constructor(url: string, prefix: string) {
    this.#origin = new URL(url)
    this.prefix = prefix
  }

  static async open(url: string, prefix: string): Promise<Remote> {
    const remote = new Remote(url, prefix)
    await remote.#listen()
    return remote
  }

  /** A connected client. */
  async client(): Promise<Redis> {
    const client = new Redis({ ...FAIL_FAST, host: '127.0.0.1', port: this.#port, lazyConnect: true })
    client.on('error', () => {})
    this.#clients.push(client)
    await client.connect()
    return client
  }

  /** From now on nothing is answered, and connections stay open. */
  hang(): void {
    this.#hangs = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** From now on nobody listens; open connections end. */
  async refuse(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** All is well again after `refuse`. */
  heal(): Promise<void> {
    return this.#listen()
  }

  /** Ends every connection and removes what was stored. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.disconnect()
    for (const socket of this.#sockets) socket.destroy()
    this.#server?.close()
    const client = new Redis(this.#origin.href)
    for await (const keys of client.scanStream({ match: `*${this.prefix}*`, count: 1000 }) as AsyncIterable<string[]>)
      if (keys.length > 0) await client.unlink(...keys)
    client.disconnect()
  }

  #listen(): Promise<void> {
    const server = createServer((near) => this.#join(near))
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', () => {
        this.#port = (server.address() as AddressInfo).port
        resolve()
      })
    })
  }

  #join(near: Socket): void {
    const far = connect({ host: this.#origin.hostname, port: Number(this.#origin.port || 6379) })
    const ends = [
      [near, far],
      [far, near],
    ] as const
    for (const [from, to] of ends) {
      from.setNoDelay(true)
      this.#sockets.add(from)
      from.on('data', (data) => to.write(data))
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      if (this.#hangs) from.pause()
    }
  }
}
