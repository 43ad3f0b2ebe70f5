// A unit at the end of its line: a TCP server that talks to one caller at a time, as a modem does.

import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { noCounts, type LineCounters } from './counters.ts'
import { answer } from './dialogue.ts'
import { Pace } from './pace.ts'
import { Sender } from './sender.ts'
import { readRequest, type Question, type Request, type Said } from '../unit/messages.ts'
import { FrameDecoder, encodeFrame } from '../unit/wire.ts'
import type { Fault } from './fault.ts'
import type { Unit } from './unit.ts'

const MAX_CONNECTIONS = 64
/** As long as a timer goes: until the caller hangs up. */
const SILENCE_MS = 2 ** 31 - 1

interface Talk {
  readonly socket: Socket
  readonly startedMs: number
  readonly controller: AbortController
}

/** One unit on one port. */
export class UnitServer {
  readonly unit: Unit
  readonly host: string
  readonly #pace: Pace
  readonly #sockets = new Set<Socket>()
  readonly #counts = noCounts() as { -readonly [K in keyof LineCounters]: LineCounters[K] }
  readonly #asked: Record<Question, number> = { ...this.#counts.conversations }
  #server: Server | undefined
  #port: number
  /** The conversation that is going on. */
  #talk: Talk | undefined
  #fault: Fault | undefined
  #faultTimes = 0

  constructor(unit: Unit, options: { readonly host: string; readonly port: number; readonly scale: number }) {
    this.unit = unit
    this.host = options.host
    this.#port = options.port
    this.#pace = new Pace(options.scale)
  }

  get port(): number {
    return this.#port
  }

  get counters(): LineCounters {
    const talkingMs = this.#talk ? performance.now() - this.#talk.startedMs : 0
    return {
      ...this.#counts,
      busyMs: this.#counts.busyMs + talkingMs,
      lineMs: this.#pace.lineMs,
      conversations: { ...this.#asked },
    }
  }

  /** Takes calls, on the same port as before. */
  async listen(): Promise<void> {
    if (this.#server) return
    const server = createServer((socket) => this.#accept(socket))
    server.maxConnections = MAX_CONNECTIONS
    this.#server = server
    try {
      server.listen(this.#port, this.host)
      await once(server, 'listening')
    } catch (error) {
      this.#server = undefined
      throw error
    }
    this.#port = (server.address() as AddressInfo).port
  }

  /** Hangs up on everybody and takes no more calls. */
  async refuse(): Promise<void> {
    const server = this.#server
    if (!server) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** From the next conversation on. */
  misbehave(fault: Fault): void {
    this.#fault = fault
    this.#faultTimes = fault.times ?? Number.POSITIVE_INFINITY
  }

  behave(): void {
    this.#fault = undefined
  }

  #accept(socket: Socket): void {
    this.#counts.connections++
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    const decoder = new FrameDecoder()
    socket.on('data', (bytes) => {
      try {
        for (const frame of decoder.decode(bytes)) this.#heard(socket, readRequest(frame))
      } catch (error) {
        // Nobody knows which request this was meant to be: say why, and hang up.
        say(socket, 0, { error: { code: 'bad-request', message: (error as Error).message } })
        socket.destroySoon()
      }
    })
    const gone = (): void => {
      this.#sockets.delete(socket)
      this.#hungUp(socket)
    }
    // A caller that hung up frees the line at once: the next one may be calling already.
    socket.on('end', gone).on('error', gone).on('close', gone)
  }

  #heard(socket: Socket, request: Request): void {
    if (this.#talk) {
      this.#counts.overlaps++
      const message = 'a conversation is going on; ask again when it is over'
      say(socket, request.id, { error: { code: 'busy', message } })
      if (socket !== this.#talk.socket) socket.end()
      return
    }
    this.#asked[request.ask]++
    const talk: Talk = { socket, startedMs: performance.now(), controller: new AbortController() }
    this.#talk = talk
    this.#converse(talk, request).catch((error: unknown) => {
      if (talk.controller.signal.aborted) return
      socket.destroy()
      console.error(error)
    })
  }

  async #converse(talk: Talk, request: Request): Promise<void> {
    const { signal } = talk.controller
    const fault = this.#nextFault()
    const sender = new Sender(talk.socket, request.id, fault)
    if (fault?.kind === 'silent') return this.#pace.spendHere(SILENCE_MS, signal)
    if (fault?.kind === 'slow') await this.#pace.spendHere(fault.extraMs, signal)
    for await (const said of answer(this.unit, request, this.#pace, signal)) {
      // With its last frame the line is free: the caller may ask again before our own write has returned.
      if (!('piece' in said)) this.#end(talk)
      await sender.send(said)
      // A line that broke by a fault was not hung up by the caller.
      if (talk.socket.destroyed) return this.#end(talk)
    }
  }

  #nextFault(): Fault | undefined {
    return this.#faultTimes-- > 0 ? this.#fault : undefined
  }

  #hungUp(socket: Socket): void {
    const talk = this.#talk
    if (talk?.socket !== socket) return
    this.#counts.hungUp++
    this.#end(talk)
    talk.controller.abort()
  }

  #end(talk: Talk): void {
    if (this.#talk !== talk) return
    this.#talk = undefined
    this.#counts.busyMs += performance.now() - talk.startedMs
  }
}

function say(socket: Socket, id: number, said: Said): void {
  socket.write(encodeFrame({ id, ...said }))
}
