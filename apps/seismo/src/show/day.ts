import { machineMs } from './answer.ts'

/** A working day at a fraction of its length, the same one for every process. */
export class Day {
  readonly seconds: number
  readonly #scale: number
  readonly #beganMs: number
  #seed: number

  /** `beganMs`: on the machine's clock; `seed`: whose day it is, so that not everybody does the same in the same second. */
  constructor(hours: number, scale: number, beganMs: number, seed: number) {
    this.seconds = hours * 3600
    this.#scale = scale
    this.#beganMs = beganMs
    this.#seed = seed
  }

  get elapsedSeconds(): number {
    return ((machineMs() - this.#beganMs) / 1000) * this.#scale
  }

  /** From 0 to 1, the same every day (a linear congruential generator, constants of Numerical Recipes). */
  random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0
    return this.#seed / 2 ** 32
  }

  async until(second: number): Promise<void> {
    const ms = ((second - this.elapsedSeconds) / this.#scale) * 1000
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
  }
}
