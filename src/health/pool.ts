import type { HealthState } from '../observe/event.ts'

/** How many values are in each state. */
export type HealthCounts = Readonly<Record<HealthState, number>>

/** Below this share of healthy ones a pool is degraded … */
const DEGRADED_BELOW = 0.5
/** … and it is so until the share has come back to this: a pool on the edge does not raise an alarm with every check. */
const RESTORED_FROM = 0.6

/** All values of one resource together: counts by state, and whether enough of them are well. */
export class Pool {
  readonly #counts: Record<HealthState, number> = {
    unknown: 0,
    checking: 0,
    healthy: 0,
    unhealthy: 0,
    recovering: 0,
    dead: 0,
  }
  isDegraded = false

  get counts(): HealthCounts {
    return { ...this.#counts }
  }

  get total(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0)
  }

  /** Moves one value; `undefined` is outside. Returns true when the pool became degraded or was restored by that. */
  move(from: HealthState | undefined, to: HealthState | undefined): boolean {
    if (from !== undefined) this.#counts[from]--
    if (to !== undefined) this.#counts[to]++
    // Those that were never checked are neither well nor ill.
    const known = this.total - this.#counts.unknown - this.#counts.checking
    const share = known === 0 ? 1 : this.#counts.healthy / known
    const isDegraded = this.isDegraded ? share < RESTORED_FROM : share < DEGRADED_BELOW
    const changed = isDegraded !== this.isDegraded
    this.isDegraded = isDegraded
    return changed
  }
}
