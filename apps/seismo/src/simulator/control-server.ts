import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { readCommand, type Command } from './command.ts'
import { sumOf } from './counters.ts'
import { integer, object, own } from '../unit/shape.ts'
import { FrameDecoder, encodeFrame } from '../unit/wire.ts'
import type { Fleet } from './fleet.ts'
import type { UnitServer } from './unit-server.ts'

const anyId = integer(0, Number.MAX_SAFE_INTEGER)

/** Takes {@link Command}s for a fleet; answers each at once, whatever the units are doing. */
export class ControlServer {
  readonly #fleet: Fleet
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(fleet: Fleet) {
    this.#fleet = fleet
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** Resolves to the port. */
  async listen(host: string, port: number): Promise<number> {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    const decoder = new FrameDecoder()
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      try {
        for (const frame of decoder.decode(bytes)) void this.#heard(socket, frame)
      } catch {
        socket.destroy()
      }
    })
  }

  async #heard(socket: Socket, frame: unknown): Promise<void> {
    let id = 0
    try {
      id = anyId(own(object(frame, 'command'), 'id'), 'command.id')
      const result = await this.#obey(readCommand(this.#fleet.units.length)(frame, 'command'))
      socket.write(encodeFrame({ id, result: result ?? null }))
    } catch (error) {
      socket.write(encodeFrame({ id, error: (error as Error).message }))
    }
  }

  #obey(command: Command): unknown {
    if (command.unit === undefined) return sumOf(this.#fleet.units.map((unit) => unit.counters))
    const server = this.#fleet.units[command.unit] as UnitServer
    switch (command.do) {
      case 'erase':
        return server.unit.erase()
      case 'refill':
        return server.unit.fill(command.events)
      case 'record':
        return server.unit.record(command.recordType)
      case 'misbehave':
        return server.misbehave(command.fault)
      case 'behave':
        return server.behave()
      case 'swap':
        server.unit.swap(command.serial ?? this.#fleet.unusedSerial(), command.events)
        return server.unit.serial
      case 'refuse':
        return server.refuse()
      case 'listen':
        return server.listen()
      case 'counters':
        return server.counters
    }
  }
}
