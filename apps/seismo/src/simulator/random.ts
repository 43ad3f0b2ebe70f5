/** Random numbers that come out the same for the same seed, on every machine. */
export class Random {
  #state: number

  /** @param seed any whole number; only its low 32 bits count */
  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to, not including, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** From `min` up to, not including, `max`. */
  between(min: number, max: number): number {
    return min + this.next() * (max - min)
  }

  /** A whole number from `min` to `max`. */
  integer(min: number, max: number): number {
    return Math.floor(this.between(min, max + 1))
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.integer(0, choices.length - 1)] ?? choices[0]
  }

  /** Around 0 with a deviation of 1 (the sum of uniform numbers is close enough to a bell for noise). */
  noise(): number {
    return (this.next() + this.next() + this.next() - 1.5) * 2
  }

  /** Numbers of their own, so that how many one unit takes does not move those of the next. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 2 ** 32))
  }
}
