import type { Clock } from '../clock.ts'
import type { HealthState } from '../observe/event.ts'
import type { Hub } from '../observe/hub.ts'
import { Agenda } from './agenda.ts'
import { Pool, type HealthCounts } from './pool.ts'
import { stepsTo, type HealthRecord } from './state.ts'

/** One value as the monitor knows it. */
export interface Watched {
  record: HealthRecord
  readonly scope: string | undefined
}

/** Who is watched, what is known of each, and who is due when. Tells every change of a state and of the pool. */
export class Roster {
  readonly #name: string
  readonly #hub: Hub
  readonly #clock: Clock
  readonly #watched = new Map<string, Watched>()
  readonly #pool = new Pool()
  readonly #agenda = new Agenda()
  /** Called when the pool became degraded, or is so no longer. */
  onPool: (isDegraded: boolean) => void = () => {}

  constructor(name: string, hub: Hub, clock: Clock) {
    this.#name = name
    this.#hub = hub
    this.#clock = clock
  }

  get counts(): HealthCounts {
    return this.#pool.counts
  }

  get isDegraded(): boolean {
    return this.#pool.isDegraded
  }

  /** When the first is due; `Infinity` when nobody is. */
  get nextAt(): number {
    return this.#agenda.nextAt
  }

  get(id: string): Watched | undefined {
    return this.#watched.get(id)
  }

  ids(): Iterable<string> {
    return this.#watched.keys()
  }

  idsIn(state: HealthState): string[] {
    return [...this.#watched].filter(([, { record }]) => record.state === state).map(([id]) => id)
  }

  /** Begins to watch a value, or begins anew. */
  take(id: string, scope: string | undefined, record: HealthRecord): void {
    const before = this.#watched.get(id)
    this.#watched.set(id, { record, scope })
    this.#moved(id, before?.record.state, record.state)
    if (record.state === 'dead') this.#agenda.delete(id)
    else this.#agenda.set(id, record.nextCheckAt)
  }

  /** Watches it no longer. */
  drop(id: string): void {
    const watched = this.#watched.get(id)
    if (!watched) return
    this.#watched.delete(id)
    this.#agenda.delete(id)
    this.#moved(id, watched.record.state, undefined)
  }

  become(id: string, watched: Watched, record: HealthRecord): void {
    const from = watched.record.state
    watched.record = record
    this.#moved(id, from, record.state)
    if (record.state === 'dead') this.#agenda.delete(id)
    else if (record.nextCheckAt > this.#clock.now()) this.#agenda.set(id, record.nextCheckAt)
  }

  /** Takes over what another process found, one legal step after the other. */
  adopt(id: string, watched: Watched, record: HealthRecord): void {
    for (const state of stepsTo(watched.record.state, record.state)) {
      this.become(id, watched, { ...record, state })
    }
    this.become(id, watched, record)
  }

  /** Takes out the first that is due. */
  takeDue(): string | undefined {
    return this.#agenda.takeDue(this.#clock.now())
  }

  /** Is due at this time, whatever its record says. */
  schedule(id: string, at: number): void {
    if (this.#watched.has(id)) this.#agenda.set(id, at)
  }

  /** Everything that was stored is in: the pool is judged from now on. `wasDegraded`: before this process. */
  beginJudging(wasDegraded: boolean): void {
    if (this.#pool.beginJudging(wasDegraded)) this.#poolChanged()
  }

  #moved(id: string, from: HealthState | undefined, to: HealthState | undefined): void {
    if (from === to) return
    const poolChanged = this.#pool.move(from, to)
    if (from !== undefined && to !== undefined) {
      const error = this.#watched.get(id)?.record.lastError
      this.#hub.emit({ type: 'health', name: this.#name, key: id, from, to, error })
    }
    if (poolChanged) this.#poolChanged()
  }

  #poolChanged(): void {
    const { isDegraded, total, counts } = this.#pool
    this.#hub.emit({ type: 'pool', name: this.#name, degraded: isDegraded, healthy: counts.healthy, total })
    this.onPool(isDegraded)
  }
}
