import { connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { freePort } from './server.ts'

/** A line between a client and a server that can be cut in every way lines are. */
export class Proxy {
  readonly port: number
  readonly #target: number
  readonly #pairs = new Set<readonly [client: Socket, server: Socket]>()
  #server: Server | undefined
  /** Bytes of the server that may still pass; then the line is reset. */
  #bytesLeft = Number.POSITIVE_INFINITY
  #isSilent = false

  constructor(port: number, target: number) {
    this.port = port
    this.#target = target
  }

  listen(): Promise<void> {
    const server = createServer((client) => this.#join(client))
    this.#server = server
    return new Promise((resolve) => server.listen(this.port, '127.0.0.1', resolve))
  }

  /** Nothing passes any more, in either direction, and nobody is told. */
  silence(): void {
    this.#isSilent = true
    for (const [client, server] of this.#pairs) {
      client.pause()
      server.pause()
    }
  }

  /** What was held back passes, and all that follows. */
  speak(): void {
    this.#isSilent = false
    for (const [client, server] of this.#pairs) {
      client.resume()
      server.resume()
    }
  }

  /** Resets every line after so many more bytes of answers: in the middle of one. */
  resetAfter(bytes: number): void {
    this.#bytesLeft = bytes
  }

  /** Resets every line now; new ones are taken. */
  reset(): void {
    for (const pair of this.#pairs) this.#cut(pair)
  }

  /** Resets every line and takes no new ones until {@link listen}. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    this.reset()
    await closed
  }

  #join(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1')
    const pair = [client, server] as const
    this.#pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => this.#cut(pair))
      if (this.#isSilent) socket.pause()
    }
    client.on('data', (bytes) => server.write(bytes))
    server.on('data', (bytes) => {
      const passing = bytes.subarray(0, this.#bytesLeft)
      this.#bytesLeft -= passing.byteLength
      client.write(passing, () => {
        if (this.#bytesLeft > 0) return
        this.#bytesLeft = Number.POSITIVE_INFINITY
        this.reset()
      })
    })
  }

  #cut(pair: readonly [Socket, Socket]): void {
    if (!this.#pairs.delete(pair)) return
    for (const socket of pair) socket.resetAndDestroy()
  }
}

/** Starts a line to a port that ends with the test. */
export async function startProxy(target: number): Promise<Proxy> {
  const proxy = new Proxy(await freePort(), target)
  await proxy.listen()
  onTestFinished(() => proxy.refuse())
  return proxy
}
