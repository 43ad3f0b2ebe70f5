import { percentile, type Contender } from '../rounds.ts'

/** Work of which so much is under way at any time: whoever has an answer asks for the next. */
export class InFlight implements Contender {
  readonly label: string
  /** Of every round, in microseconds. */
  readonly latenciesUs: number[] = []
  readonly #width: number
  readonly #operations: number
  readonly #run: (n: number) => Promise<unknown>

  constructor(label: string, width: number, operations: number, run: (n: number) => Promise<unknown>) {
    this.label = label
    this.#width = width
    this.#operations = operations
    this.#run = run
  }

  async run(): Promise<number> {
    let next = 0
    const startedAt = performance.now()
    const loop = async (): Promise<void> => {
      while (next < this.#operations) {
        const askedAt = performance.now()
        await this.#run(next++)
        this.latenciesUs.push((performance.now() - askedAt) * 1_000)
      }
    }
    await Promise.all(Array.from({ length: this.#width }, loop))
    return ((performance.now() - startedAt) * 1e6) / this.#operations
  }

  /** What half of all, all but one in a hundred, and the slowest took. */
  get spread(): string {
    const [half, most] = [percentile(this.latenciesUs, 50), percentile(this.latenciesUs, 99)]
    const longest = this.latenciesUs.reduce((a, b) => Math.max(a, b), 0)
    return `p50 ${half.toFixed(0)}, p99 ${most.toFixed(0)}, longest ${longest.toFixed(0)} µs`
  }
}
