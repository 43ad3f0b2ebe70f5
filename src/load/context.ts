import type { Clock } from '../clock.ts'
import type { Handout } from '../codec/handout.ts'
import { TidemarkError, invalidOption } from '../errors.ts'
import type { Hub } from '../observe/hub.ts'
import type { Sealer } from '../seal/sealer.ts'
import type { Stack } from '../stack/stack.ts'
import type { Flights } from './flights.ts'

/** What every construct of one cache shares. */
export class Context {
  readonly stack: Stack
  readonly hub: Hub
  readonly clock: Clock
  readonly handout: Handout
  readonly sealer: Sealer
  /** Readers look for other processes' changes on every read. */
  readonly isStrict: boolean
  /** Names this cache as the holder of claims: unlike any other, also in the same process. */
  readonly owner: string = crypto.randomUUID()
  readonly #names = new Set<string>()
  readonly #flights = new Set<Flights<unknown>>()
  readonly #closers: (() => void)[] = []
  #closed = false

  constructor(parts: { stack: Stack; hub: Hub; clock: Clock; handout: Handout; sealer: Sealer; isStrict: boolean }) {
    this.stack = parts.stack
    this.hub = parts.hub
    this.clock = parts.clock
    this.handout = parts.handout
    this.sealer = parts.sealer
    this.isStrict = parts.isStrict
    this.stack.onChange((change) => {
      for (const flights of this.#flights) flights.fence(change)
    })
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** The names of all constructs, in the order they were made. */
  get names(): readonly string[] {
    return [...this.#names]
  }

  /** How many loads are in progress. */
  get flying(): number {
    return [...this.#flights].reduce((sum, flights) => sum + flights.size, 0)
  }

  /** Takes a name. Errors: `invalid-option`, `name-taken`. */
  takeName(name: unknown, construct: string): string {
    if (typeof name !== 'string' || !name.isWellFormed() || /[\0#]/.test(name)) {
      throw invalidOption(`${construct}.name`, "a string without '#' and NUL", name)
    }
    if (this.#names.has(name)) {
      throw new TidemarkError('name-taken', `The name ${JSON.stringify(name)} is taken.`, { data: { name } })
    }
    this.#names.add(name)
    return name
  }

  /** Flights that changes must fence and `close` must abort. */
  track(flights: Flights<never>): void {
    this.#flights.add(flights)
  }

  /** What must stop before the tiers are closed. */
  onClose(stop: () => void): void {
    this.#closers.push(stop)
  }

  /** Throws `closed` after `close`. */
  refuseIfClosed(): void {
    if (this.#closed) throw closedError()
  }

  close(): void {
    this.#closed = true
    for (const stop of this.#closers) stop()
    for (const flights of this.#flights) flights.abortAll(closedError())
  }
}

function closedError(): TidemarkError {
  return new TidemarkError('closed', 'The cache was closed.')
}
