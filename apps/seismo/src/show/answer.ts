import { Agent, get, type IncomingHttpHeaders } from 'node:http'

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
export function ask(url: string, askedAtMs: number = machineMs()): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      const pieces: Buffer[] = []
      response
        .on('data', (piece: Buffer) => pieces.push(piece))
        .on('end', () => {
          const tookMs = machineMs() - askedAtMs
          const { statusCode: status = 0, headers } = response
          resolve({ status, headers, body: Buffer.concat(pieces), askedAtMs, tookMs })
        })
        .on('error', reject)
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The server hung up an idle connection just when it was used again: browsers ask anew, and so does this.
      if (request.reusedSocket && error.code === 'ECONNRESET') resolve(ask(url, askedAtMs))
      else reject(error)
    })
  })
}
