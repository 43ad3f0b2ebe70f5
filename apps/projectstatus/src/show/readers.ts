import type { Service } from '../service.ts'

/** One read: how long it took, and what it said. */
export interface Sample {
  readonly tookMs: number
  readonly status: number
  /** `undefined` when the answer does not say where it is from. */
  readonly source: 'postgresql' | 'cache' | undefined
  /** The breaker was open when it began. */
  readonly wasLeftAlone: boolean
}

/** Readers at a steady rate, whether or not the ones before have been answered. */
export class Readers implements AsyncDisposable {
  readonly #service: Service
  readonly #paths: readonly string[]
  readonly #perSecond: number
  readonly #running = new Set<Promise<void>>()
  #samples: Sample[] = []
  #isOver = false
  readonly #done: Promise<void>

  constructor(service: Service, paths: readonly string[], perSecond: number) {
    this.#service = service
    this.#paths = paths
    this.#perSecond = perSecond
    this.#done = this.#run()
  }

  /** The reads that ended since it was last asked. */
  take(): Sample[] {
    const samples = this.#samples
    this.#samples = []
    return samples
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#done
    await Promise.all(this.#running)
  }

  async #run(): Promise<void> {
    const began = performance.now()
    for (let sent = 0; !this.#isOver;) {
      const due = Math.floor(((performance.now() - began) * this.#perSecond) / 1000)
      for (; sent < due; sent++) {
        const reading = this.#read(this.#paths[sent % this.#paths.length] as string)
        this.#running.add(reading)
        void reading.finally(() => this.#running.delete(reading))
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  async #read(path: string): Promise<void> {
    const began = performance.now()
    const wasLeftAlone = this.#service.cache.source.state === 'open'
    const response = await this.#service.fetch(new Request(`http://127.0.0.1${path}`))
    const body = (await response.json()) as { data_source?: Sample['source'] }
    const tookMs = performance.now() - began
    this.#samples.push({ tookMs, status: response.status, source: body.data_source, wasLeftAlone })
  }
}

/** The value that a share of the samples stays below. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
