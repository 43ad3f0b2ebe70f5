import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { integer, object, own } from '../unit/shape.ts'
import { FrameDecoder, encodeFrame } from '../unit/wire.ts'
import type { Command } from './command.ts'

/** A command that the simulator did not carry out; the message says why. */
export class SimulatorError extends Error {
  override readonly name = 'SimulatorError'
}

/** The connection to a simulator's control port. */
export class Control {
  readonly #socket: Socket
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #id = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    const decoder = new FrameDecoder()
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      for (const frame of decoder.decode(bytes)) this.#heard(frame)
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#gone())
  }

  static async open(host: string, port: number): Promise<Control> {
    const socket = connect({ host, port })
    await once(socket, 'connect')
    return new Control(socket)
  }

  /** The command's result. Rejects with a {@link SimulatorError}. */
  send(command: Command): Promise<unknown> {
    if (this.#socket.destroyed) return Promise.reject(new SimulatorError('The simulator is gone.'))
    const id = ++this.#id
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.set(id, answer)
    this.#socket.write(encodeFrame({ id, ...command }))
    return answer.promise
  }

  close(): void {
    this.#socket.destroy()
  }

  #heard(frame: unknown): void {
    const answer = object(frame, 'answer')
    const id = integer(0, this.#id)(own(answer, 'id'), 'answer.id')
    const error = own(answer, 'error')
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (typeof error === 'string') waiting?.reject(new SimulatorError(error))
    else waiting?.resolve(own(answer, 'result'))
  }

  #gone(): void {
    for (const { reject } of this.#waiting.values()) reject(new SimulatorError('The simulator is gone.'))
    this.#waiting.clear()
  }
}
