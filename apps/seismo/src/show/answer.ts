import { Agent, get, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'

/** An answer as a viewer has it, still unread. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** On the clock that all processes of this machine share, see {@link machineMs}. */
  readonly askedAtMs: number
  /** Until the last byte of the body was there. */
  readonly tookMs: number
}

const agent = new Agent({ keepAlive: true })

/** Milliseconds of the machine's own clock: the same in every process, and never set back. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Asks over a connection that is kept open. What is done with the body is no part of the time. */
export function ask(url: string, headers: OutgoingHttpHeaders = {}, askedAtMs: number = machineMs()): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers }, (response) => {
      const pieces: Buffer[] = []
      response
        .on('data', (piece: Buffer) => pieces.push(piece))
        .on('end', () => {
          const tookMs = machineMs() - askedAtMs
          const { statusCode: status = 0 } = response
          resolve({ status, headers: response.headers, body: Buffer.concat(pieces), askedAtMs, tookMs })
        })
        .on('error', reject)
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The server hung up an idle connection just when it was used again: browsers ask anew, and so does this.
      if (request.reusedSocket && error.code === 'ECONNRESET') resolve(ask(url, headers, askedAtMs))
      else reject(error)
    })
  })
}
