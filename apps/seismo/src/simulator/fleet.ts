import { Random } from './random.ts'
import { UnitServer } from './unit-server.ts'
import { Unit } from './unit.ts'

/** What is simulated. */
export interface FleetOptions {
  readonly host: string
  /** The first unit's port, the others follow; 0 for any that are free. */
  readonly port: number
  readonly units: number
  /** How many times faster than real units. */
  readonly scale: number
  readonly seed: number
  /** How many events each unit starts with: somewhere between. */
  readonly events: { readonly min: number; readonly max: number }
}

/** Several units, the same ones for the same seed. */
export class Fleet {
  readonly units: readonly UnitServer[]
  readonly #random: Random
  readonly #serials = new Set<string>()

  constructor({ host, port, units, scale, seed, events }: FleetOptions) {
    this.#random = new Random(seed)
    const startedMs = performance.now()
    const elapsedMs = (): number => (performance.now() - startedMs) * scale
    this.units = Array.from({ length: units }, (_, i) => {
      const unit = new Unit(this.unusedSerial(), this.#random.fork(), elapsedMs)
      unit.fill(this.#random.integer(events.min, events.max))
      return new UnitServer(unit, { host, port: port === 0 ? 0 : port + i, scale })
    })
  }

  /** A serial that no unit of the fleet ever had. */
  unusedSerial(): string {
    const serial = `BE${this.#random.integer(6000, 18_999)}`
    if (this.#serials.has(serial)) return this.unusedSerial()
    this.#serials.add(serial)
    return serial
  }

  /** Resolves when every unit takes calls; when one cannot, none does. */
  async listen(): Promise<void> {
    try {
      for (const unit of this.units) await unit.listen()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.units.map((unit) => unit.refuse()))
  }
}
