import { parseConnKey, type Address } from '../cache/conn-key.ts'
import type { SeismographClient } from '../unit/client.ts'
import { Line } from './line.ts'

/** Makes the client for an address. */
export type Dial = (address: Address) => SeismographClient

/** The lines to all units that were ever asked, by connection key. */
export class Lines {
  readonly #dial: Dial
  readonly #lines = new Map<string, Line>()

  constructor(dial: Dial) {
    this.#dial = dial
  }

  /** Conversations running or waiting on the line to a unit. */
  lengthOf(unit: string): number {
    return this.#lines.get(unit)?.length ?? 0
  }

  of(unit: string): Line {
    const known = this.#lines.get(unit)
    if (known) return known
    // One that is idle is forgotten: whoever asks for ever new addresses must not fill the memory.
    const line = new Line(
      () => this.#dial(parseConnKey(unit)),
      () => this.#lines.delete(unit),
    )
    this.#lines.set(unit, line)
    return line
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#lines.values()].map((line) => line.close()))
  }
}
