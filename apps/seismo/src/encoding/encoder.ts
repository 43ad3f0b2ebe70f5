import { Worker } from 'node:worker_threads'
import { errorOf, type Job, type Reply, type Request } from './job.ts'

/** The encoder was closed before a job was done. */
export class EncoderClosedError extends Error {
  override readonly name = 'EncoderClosedError'
}

type Waiting = PromiseWithResolvers<Uint8Array<ArrayBuffer>>

const THREAD = new URL('thread-main.ts', import.meta.url)

/**
 * A thread that turns recordings into bytes, so that whoever asks for something small meanwhile need not wait. It is started
 * by the first job, and keeps the process alive only while there is one.
 */
export class Encoder {
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #id = 0
  #isClosed = false

  /**
   * Does a job there. Errors: `EventFileError` for what is no recording, or no file; `EncoderClosedError`; an `Error` when the
   * thread ended.
   */
  encode(job: Job): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#isClosed) return Promise.reject(closed())
    const worker = (this.#worker ??= this.#start())
    const waiting: Waiting = Promise.withResolvers()
    const request: Request = { id: ++this.#id, job }
    worker.postMessage(request)
    this.#waiting.set(request.id, waiting)
    worker.ref()
    return waiting.promise
  }

  /** Ends the thread; jobs that are not done fail. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#worker?.terminate()
  }

  #start(): Worker {
    // Not the flags of this process: some are about its own entry point.
    const worker = new Worker(THREAD, { execArgv: [] })
    worker.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      if (this.#waiting.size === 0) worker.unref()
      if ('bytes' in reply) waiting?.resolve(reply.bytes)
      else waiting?.reject(errorOf(reply))
    })
    let cause: unknown
    worker.on('error', (error) => (cause = error))
    worker.on('exit', () => {
      // The next job starts another one.
      this.#worker = undefined
      const all = [...this.#waiting.values()]
      this.#waiting.clear()
      for (const { reject } of all)
        reject(this.#isClosed ? closed() : new Error("The encoder's thread has ended.", { cause }))
    })
    return worker
  }
}

function closed(): EncoderClosedError {
  return new EncoderClosedError('The encoder was closed.')
}
