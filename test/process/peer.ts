import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const MAIN = fileURLToPath(new URL('peer-main.ts', import.meta.url))

/** A load that another process asks its parent for. */
export interface AskedLoad {
  readonly name: string
  readonly key: unknown
  answer(value: unknown): void
}

/** Another process with a cache at the same place. */
export class Peer {
  /** Loads that were asked for and not answered, oldest first. */
  readonly loads: AskedLoad[] = []
  /** How many loads were asked for in all. */
  loadCount = 0
  readonly #child: ChildProcess
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #waiting: ((load: AskedLoad) => void)[] = []
  readonly ready: Promise<void>
  #id = 0

  constructor(place: string, coherence: 'eventual' | 'strict') {
    this.#child = fork(MAIN, [place, coherence], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ready = promise
    this.#child.on('message', (message: Record<string, unknown>) => {
      if ('ready' in message) resolve()
      else if ('ask' in message) this.#asked(message as { ask: number; name: string; key: unknown })
      else this.#answered(message as { id: number; value?: unknown; error?: string })
    })
  }

  call(method: string, ...args: unknown[]): Promise<unknown> {
    const id = ++this.#id
    const call = Promise.withResolvers<unknown>()
    this.#calls.set(id, call)
    this.#child.send({ id, method, args })
    return call.promise
  }

  /** The next load that is asked for, or was. */
  nextLoad(): Promise<AskedLoad> {
    const load = this.loads.shift()
    return load ? Promise.resolve(load) : new Promise((resolve) => this.#waiting.push(resolve))
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await gone
  }

  #asked({ ask, name, key }: { ask: number; name: string; key: unknown }): void {
    this.loadCount++
    const load: AskedLoad = { name, key, answer: (value) => void this.#child.send({ answer: ask, value }) }
    const waiting = this.#waiting.shift()
    if (waiting) waiting(load)
    else this.loads.push(load)
  }

  #answered({ id, value, error }: { id: number; value?: unknown; error?: string }): void {
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (error === undefined) call?.resolve(value)
    else call?.reject(new Error(error))
  }
}

/** Starts another process at a place; killed when the test is over. */
export async function startPeer(place: string, coherence: 'eventual' | 'strict' = 'strict'): Promise<Peer> {
  const peer = new Peer(place, coherence)
  onTestFinished(() => peer.kill())
  await peer.ready
  return peer
}
