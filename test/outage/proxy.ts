import { connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A TCP proxy in front of a real server, that fails on command. */
export class Proxy {
  readonly #to: { readonly host: string; readonly port: number }
  readonly #sockets = new Set<Socket>()
  /** Cut off: nothing passes, and neither end is told. */
  readonly #cut = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  #isHanging = false

  constructor(host: string, port: number) {
    this.#to = { host, port }
  }

  get port(): number {
    return this.#port
  }

  /** Takes connections, at the port it had before. */
  async open(): Promise<void> {
    this.#isHanging = false
    if (this.#server) {
      for (const socket of this.#sockets) socket.resume()
      return
    }
    const server = createServer((from) => this.#pass(from))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (server.address() as { port: number }).port
  }

  /** Nobody listens any more, and who was connected is reset. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    const closed = new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)))
    this.reset()
    await closed
  }

  /** Resets every connection; new ones are taken. */
  reset(): void {
    for (const socket of [...this.#sockets, ...this.#cut]) socket.resetAndDestroy()
  }

  /** Takes connections and what they send, and never answers. */
  hang(): void {
    this.#isHanging = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** The connections there are never answer again, as after a failover or behind a firewall that forgot them; new ones do. */
  cut(): void {
    for (const socket of this.#sockets) {
      socket.pause()
      this.#cut.add(socket)
    }
    this.#sockets.clear()
  }

  #pass(from: Socket): void {
    const to = connect(this.#to)
    for (const socket of [from, to]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket) || this.#cut.delete(socket))
      if (this.#isHanging) socket.pause()
    }
    from.on('data', (data) => to.write(data))
    to.on('data', (data) => from.write(data))
    from.on('close', () => to.destroy())
    to.on('close', () => from.destroy())
    if (this.#isHanging) setImmediate(() => [from, to].forEach((socket) => socket.pause()))
  }
}

/** A proxy in front of the server of a url; closed when the test is over. Resolves to it and the url through it. */
export async function proxyTo(url: string): Promise<{ proxy: Proxy; url: string }> {
  const at = new URL(url)
  const proxy = new Proxy(at.hostname, Number(at.port || 5432))
  await proxy.open()
  onTestFinished(() => proxy.refuse())
  at.hostname = '127.0.0.1'
  at.port = String(proxy.port)
  return { proxy, url: at.href }
}
