// One TCP connection to a unit. It carries one exchange after another; whatever goes wrong in one, the line is hung up,
// so that no late byte of it can be taken for an answer to the next.

import { connect, type Socket } from 'node:net'
import { UnitError } from './client.ts'
import { readAnswer, type Request, type Said } from './messages.ts'
import { FrameDecoder, encodeFrame } from './wire.ts'
import type { Assembly } from './assembly.ts'
import type { Conversation } from './client.ts'

/** Where a unit is and how long it is waited for. */
export interface LineOptions {
  readonly host: string
  readonly port: number
  readonly connectTimeoutMs: number
  readonly answerTimeoutMs: number
}

/** Notices a peer that vanished while nobody asked anything. */
const KEEP_ALIVE_MS = 30_000

/** A line to a unit: open until {@link Line.hangUp} or a failure, then never again. */
export class Line {
  readonly #socket: Socket
  readonly #options: LineOptions
  readonly #decoder = new FrameDecoder()
  readonly #closed: Promise<void>
  #failure: Error | undefined
  #exchange: { heard(frame: unknown): void; failed(error: Error): void; readonly bytesBefore: number } | undefined
  #brokeUnheard = false

  /** Takes a connected socket. */
  constructor(socket: Socket, options: LineOptions) {
    this.#socket = socket
    this.#options = options
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    // An idle line keeps no process alive.
    socket.unref()
    socket.on('data', (bytes) => this.#heard(bytes))
    socket.on('error', (cause) => this.#broke(cause))
    socket.on('end', () => this.#broke())
    socket.on('close', () => this.#broke())
  }

  /** False once it was hung up, from either side. */
  get isOpen(): boolean {
    return this.#failure === undefined
  }

  /** The other side was gone before a byte of its answer came: it had hung up while the line was idle. */
  get brokeUnheard(): boolean {
    return this.#brokeUnheard
  }

  /** Asks, and puts the answer together. Fails with a `UnitError`, or with what `onProgress` threw. */
  async exchange<T>(request: Request, assembly: Assembly<T>, conversation: Conversation): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    let progress = ''
    const silent = (): void =>
      this.#fail(
        new UnitError(
          'unit-unreachable',
          `${addressOf(this.#options)} was silent for ${this.#options.answerTimeoutMs} ms after '${request.ask}'${progress}.`,
        ),
      )
    const timer = setTimeout(silent, this.#options.answerTimeoutMs)
    const hungUp = (): void => this.#fail(abandoned(this.#options, conversation.signal))
    conversation.signal?.addEventListener('abort', hungUp, { once: true })
    const done = (): void => {
      this.#exchange = undefined
      clearTimeout(timer)
      conversation.signal?.removeEventListener('abort', hungUp)
      this.#socket.unref()
    }
    const heard = (frame: unknown): void => {
      timer.refresh()
      const said = readAnswer(frame, request.id)
      if ('piece' in said) {
        assembly.piece(said.piece, said.done, said.total)
        progress = ` (${said.done} of ${said.total})`
        conversation.onProgress?.(said.done, said.total)
        return
      }
      if ('result' in said) resolve(assembly.finish(said.result))
      else reject(refused(this.#options, said.error))
      done()
    }
    const failed = (failure: Error): void => {
      done()
      reject(inContext(failure, this.#options, `'${request.ask}'${progress}`))
    }
    this.#exchange = { heard, failed, bytesBefore: this.#socket.bytesRead }
    this.#socket.ref()
    if (this.#failure) failed(this.#failure)
    else if (conversation.signal?.aborted) hungUp()
    else this.#send(request)
    return promise
  }

  /** Closes the line; the conversation on it fails. */
  async hangUp(): Promise<void> {
    this.#fail(new UnitError('unit-unreachable', `The line to ${addressOf(this.#options)} was hung up.`))
    await this.#closed
  }

  #send(request: Request): void {
    try {
      this.#socket.write(encodeFrame(request))
    } catch (error) {
      this.#fail(error as UnitError)
    }
  }

  #heard(bytes: Buffer): void {
    try {
      for (const frame of this.#decoder.decode(bytes)) {
        if (!this.#exchange) throw new UnitError('unit-protocol', 'it spoke without being asked')
        this.#exchange.heard(frame)
      }
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #broke(cause?: Error): void {
    if (this.#failure) return
    this.#brokeUnheard = this.#exchange?.bytesBefore === this.#socket.bytesRead
    const why = cause?.message ?? 'the other side hung up'
    this.#fail(new UnitError('unit-unreachable', `The line to ${addressOf(this.#options)} broke: ${why}.`, { cause }))
  }

  #fail(error: Error): void {
    if (this.#failure) return
    this.#failure = error
    this.#socket.destroy()
    this.#exchange?.failed(error)
  }
}

/** Connects. Fails with `unit-refused` where nobody listens, otherwise with `unit-unreachable`. */
export function dial(options: LineOptions, signal: AbortSignal | undefined): Promise<Line> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abandoned(options, signal))
    const socket = connect({ host: options.host, port: options.port })
    const fail = (error: UnitError): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', hungUp)
      socket.destroy()
      reject(error)
    }
    const hungUp = (): void => fail(abandoned(options, signal))
    const timer = setTimeout(
      () => fail(unreachable(options, `no connection within ${options.connectTimeoutMs} ms`)),
      options.connectTimeoutMs,
    )
    const onError = (error: NodeJS.ErrnoException): void => {
      fail(
        error.code === 'ECONNREFUSED'
          ? new UnitError(
              'unit-refused',
              `Nobody listens at ${addressOf(options)}: is the unit on, and the port right?`,
              { cause: error },
            )
          : unreachable(options, error.message || String(error.code), error),
      )
    }
    signal?.addEventListener('abort', hungUp, { once: true })
    socket.once('error', onError)
    socket.once('connect', () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', hungUp)
      socket.off('error', onError)
      resolve(new Line(socket, options))
    })
  })
}

function addressOf({ host, port }: LineOptions): string {
  return `${host}:${port}`
}

function unreachable(options: LineOptions, why: string, cause?: Error): UnitError {
  return new UnitError('unit-unreachable', `${addressOf(options)} cannot be reached: ${why}.`, { cause })
}

function abandoned(options: LineOptions, signal: AbortSignal | undefined): UnitError {
  return new UnitError('unit-unreachable', `The caller hung up on ${addressOf(options)}.`, { cause: signal?.reason })
}

function refused(options: LineOptions, { code, message }: Extract<Said, { error: unknown }>['error']): UnitError {
  return new UnitError(
    code === 'no-such-event' ? 'unit-no-such-event' : 'unit-rejected',
    `${addressOf(options)} ${code === 'busy' ? 'is busy' : 'says'}: ${message}.`,
  )
}

/** What the checks found says nothing of where; what came from the caller stays as it is. */
function inContext(error: Error, options: LineOptions, where: string): Error {
  if (!(error instanceof UnitError) || error.code !== 'unit-protocol') return error
  const message = `${addressOf(options)} answered ${where} with what is no answer: ${error.message}.`
  return new UnitError('unit-protocol', message, { cause: error })
}
