import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { JsonlOptions } from 'tidemark'

const MAIN = fileURLToPath(new URL('worker-main.ts', import.meta.url))

/** Another process with a tier over the same folder. */
export class Worker {
  readonly ready: Promise<void>
  readonly #child: ChildProcess
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>()
  #id = 0

  constructor(options: JsonlOptions) {
    this.#child = fork(MAIN, [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ready = promise
    this.#child.on('message', (message: { ready?: true; id: number; value?: unknown; error?: string }) => {
      if (message.ready) return resolve()
      const call = this.#calls.get(message.id)
      this.#calls.delete(message.id)
      if (message.error === undefined) call?.resolve(message.value)
      else call?.reject(new Error(message.error))
    })
  }

  call(method: string, ...args: unknown[]): Promise<unknown> {
    const id = ++this.#id
    const call = Promise.withResolvers<unknown>()
    this.#calls.set(id, call)
    this.#child.send({ id, method, args })
    return call.promise
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await gone
  }
}

/** Starts so many processes over one folder; they are killed when the test is over. */
export async function startWorkers(count: number, options: JsonlOptions): Promise<Worker[]> {
  const workers = Array.from({ length: count }, () => new Worker(options))
  onTestFinished(async () => void (await Promise.all(workers.map((worker) => worker.kill()))))
  await Promise.all(workers.map(({ ready }) => ready))
  return workers
}
