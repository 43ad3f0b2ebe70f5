import type { HealthState } from '../observe/event.ts'

/** How many values are in each state. */
export type HealthCounts = Readonly<Record<HealthState, number>>

/** Below this share of healthy ones a pool is degraded … */
const DEGRADED_BELOW = 0.5
/** … and it is so until the share has come back to this: a pool on the edge does not raise an alarm with every check. */
const RESTORED_FROM = 0.6
/** Of a pool of which less than this share was ever checked nothing is said: the first to fail is not the pool. */
const KNOWN_FROM = 0.5

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
  #total = 0
  #isJudging = false
  isDegraded = false

  get counts(): HealthCounts {
    return { ...this.#counts }
  }

  get total(): number {
    return this.#total
  }

  /** Moves one value; `undefined` is outside. Returns true when the pool became degraded or was restored by that. */
  move(from: HealthState | undefined, to: HealthState | undefined): boolean {
    if (from === undefined) this.#total++
    else this.#counts[from]--
    if (to === undefined) this.#total--
    else this.#counts[to]++
    return this.#isJudging && this.#judge()
  }

  /** From now on the pool is judged: before, only a part of it is known. Returns true when it is not what it was. */
  beginJudging(wasDegraded: boolean): boolean {
    this.#isJudging = true
    this.isDegraded = wasDegraded
    return this.#judge()
  }

  #judge(): boolean {
    // Those that were never checked are neither well nor ill.
    const known = this.#total - this.#counts.unknown - this.#counts.checking
    if (known < this.#total * KNOWN_FROM) return false
    const share = known === 0 ? 1 : this.#counts.healthy / known
    const isDegraded = this.isDegraded ? share < RESTORED_FROM : share < DEGRADED_BELOW
    const changed = isDegraded !== this.isDegraded
    this.isDegraded = isDegraded
    return changed
  }
}
