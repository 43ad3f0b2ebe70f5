// Real proxies on this machine, good and bad, for tests and demonstrations. Nothing outside it is ever dialled.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** How a local proxy behaves; may be changed while it runs. */
export interface Behaviour {
  /** Milliseconds before it answers. */
  delayMs?: number
  /** Takes connections and never answers. */
  isSilent?: boolean
  /** Answers 503. */
  isDown?: boolean
  /** `user:password`; others get 407. */
  credentials?: string
}

/** A running proxy. */
export interface LocalProxy extends AsyncDisposable {
  readonly url: string
  readonly behaviour: Behaviour
  readonly requests: () => number
  close(): Promise<void>
}

/** Starts an HTTP CONNECT proxy on loopback that connects to loopback only. */
export async function startLocalProxy(behaviour: Behaviour = {}): Promise<LocalProxy> {
  let requests = 0
  const sockets = new Set<Duplex>()
  const server = createServer((_request, response) => response.writeHead(405).end())
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
  })
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    requests++
    if (behaviour.isSilent === true) return
    setTimeout(() => answer(request, socket as Socket, behaviour), behaviour.delayMs ?? 0)
  })
  await listening(server)
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    behaviour,
    requests: () => requests,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A page to reach through proxies. */
export async function startTarget(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((_request, response) => response.end('reached'))
  await listening(server)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function answer(request: IncomingMessage, socket: Socket, behaviour: Behaviour): void {
  if (socket.destroyed) return
  const { credentials } = behaviour
  const expected = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
  if (expected !== undefined && request.headers['proxy-authorization'] !== expected) {
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n')
    return
  }
  const [host, port] = (request.url ?? '').split(':')
  if (behaviour.isDown === true || host !== '127.0.0.1') {
    socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n')
    return
  }
  const onward = connect(Number(port), host, () => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    onward.pipe(socket).pipe(onward)
  })
  onward.on('error', () => socket.destroy())
  socket.on('error', () => onward.destroy()).on('close', () => onward.destroy())
}

async function listening(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}
