import { malformed, type Fault } from './fault.ts'
import { encodeFrame } from '../unit/wire.ts'
import type { Socket } from 'node:net'
import type { Said } from '../unit/messages.ts'

/** Puts the frames of one answer on the line, with what is to go wrong with them. */
export class Sender {
  readonly #socket: Socket
  readonly #id: number
  readonly #fault: Fault | undefined
  #sentFrames = 0

  constructor(socket: Socket, id: number, fault: Fault | undefined) {
    this.#socket = socket
    this.#id = id
    this.#fault = fault
  }

  /** Resolves when the frame left, or cannot any more. */
  async send(said: Said): Promise<void> {
    const fault = this.#fault
    const whole = encodeFrame({ id: this.#id, ...said })
    if ((fault?.kind === 'drop' || fault?.kind === 'reset') && this.#breaksAt(fault.afterFrames ?? 0, said)) {
      await this.#write(whole.subarray(0, whole.byteLength / 2))
      if (fault.kind === 'drop') this.#socket.destroy()
      else this.#socket.resetAndDestroy()
      return
    }
    await this.#write(fault?.kind === 'malformed' ? malformed(fault.how, this.#id, said, this.#sentFrames) : whole)
    this.#sentFrames++
  }

  #breaksAt(afterFrames: number, said: Said): boolean {
    return this.#sentFrames >= afterFrames || !('piece' in said)
  }

  #write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()))
  }
}
