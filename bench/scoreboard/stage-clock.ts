/** Time that a scenario moves: what the process reads from `Date` and `performance` while it is held. */
export class StageClock {
  readonly #real = { date: Date.now.bind(Date), performance: performance.now.bind(performance) }
  #dateMs = Date.now()
  #performanceMs = Math.floor(performance.now())

  /** Both clocks stand still from now on. */
  hold(): void {
    Date.now = () => this.#dateMs
    performance.now = () => this.#performanceMs
  }

  /** Time passes. */
  advance(ms: number): void {
    this.#dateMs += ms
    this.#performanceMs += ms
  }

  /** Somebody sets the wall clock; it goes on from there, and the monotonic one is not touched. */
  stepWall(ms: number): void {
    Date.now = () => this.#real.date() + ms
  }

  now(): number {
    return Date.now()
  }

  release(): void {
    Date.now = this.#real.date
    performance.now = this.#real.performance
  }
}
