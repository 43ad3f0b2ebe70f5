import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { TcpSeismographClient } from '../../src/unit/tcp-client.ts'
import { FrameDecoder, encodeFrame } from '../../src/unit/wire.ts'

/** A server that answers every request with whatever frames a test wants, and the client that asks it. */
export async function scriptedUnit(
  answer: (request: { id: number }, socket: Socket) => object[],
  answerTimeoutMs = 5000,
): Promise<{
  client: TcpSeismographClient
  port: number
  /** How many connections were taken. */
  readonly connections: () => number
}> {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    const decoder = new FrameDecoder()
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      for (const request of decoder.decode(bytes)) {
        const frames = answer(request as { id: number }, socket)
        if (frames.length > 0) socket.write(Buffer.concat(frames.map((frame) => encodeFrame(frame))))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = new TcpSeismographClient({ host: '127.0.0.1', port, answerTimeoutMs })
  onTestFinished(async () => {
    await client.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { client, port, connections: () => connections }
}
