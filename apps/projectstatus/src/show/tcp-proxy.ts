import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A TCP proxy in front of a database, that fails as networks do. */
export class TcpProxy implements AsyncDisposable {
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #ownPort = 0
  #isHanging = false

  /** @param port of the database, on this machine */
  constructor(port: number) {
    this.#port = port
  }

  get port(): number {
    return this.#ownPort
  }

  /** Passes everything on, at the port it had before. */
  async open(): Promise<void> {
    this.#isHanging = false
    for (const socket of this.#sockets) socket.resume()
    if (this.#server) return
    const server = createServer((from) => this.#pass(from))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#ownPort, '127.0.0.1', resolve)
    })
    this.#ownPort = (server.address() as AddressInfo).port
  }

  /** Nobody listens any more; who was connected is cut off. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()))
    this.reset()
    await closed
  }

  /** Takes connections and what they send, and never answers. */
  hang(): void {
    this.#isHanging = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** Breaks off every connection there is; new ones are taken, and answered. */
  reset(): void {
    this.#isHanging = false
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.refuse()
  }

  #pass(from: Socket): void {
    const to = connect(this.#port, '127.0.0.1')
    for (const socket of [from, to]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
    }
    from.on('data', (data) => to.write(data))
    to.on('data', (data) => from.write(data))
    from.on('close', () => to.destroy())
    to.on('close', () => from.destroy())
    // After the listeners above, which start the flow.
    if (this.#isHanging) for (const socket of [from, to]) socket.pause()
  }
}
