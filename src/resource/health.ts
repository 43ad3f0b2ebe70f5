import { keyId, keyOfId, type KeyInput } from '../key.ts'
import type { CheckEntry } from '../health/ledger.ts'
import type { Monitor } from '../health/monitor.ts'
import type { HealthCounts } from '../health/pool.ts'
import type { HealthRecord } from '../health/state.ts'
import type { HealthState } from '../observe/event.ts'

/** What is asked of a monitor, whatever its values are. */
type Observed = Pick<
  Monitor<unknown>,
  'ready' | 'counts' | 'isDegraded' | 'recordOf' | 'idsIn' | 'checks' | 'reportFailure' | 'restore'
>

/** The health of a resource's stored values. Made by `tide.resource` with the option `health`. */
export class ResourceHealth<K> {
  readonly #monitor: Observed
  readonly #idOf: (key: K) => string

  constructor(monitor: Observed, idOf: (key: K) => string) {
    this.#monitor = monitor
    this.#idOf = (key) => {
      const id = idOf(key)
      return id.startsWith('[') || id.startsWith('"') ? id : keyId(id)
    }
  }

  /** Resolves when what was stored before this process has been taken in. */
  get ready(): Promise<void> {
    return this.#monitor.ready
  }

  /** How many values are in each state. */
  get counts(): HealthCounts {
    return this.#monitor.counts
  }

  /** Fewer than half of the checked values are healthy; over again from 60 %. */
  get isDegraded(): boolean {
    return this.#monitor.isDegraded
  }

  /** `undefined` when nothing is stored under the key. */
  state(key: K): HealthState | undefined {
    return this.#monitor.recordOf(this.#idOf(key))?.state
  }

  /** Everything known of one value. */
  record(key: K): HealthRecord | undefined {
    return this.#monitor.recordOf(this.#idOf(key))
  }

  /** The keys of all values in a state. */
  keys(state: HealthState): KeyInput[] {
    return this.#monitor.idsIn(state).map(keyOfId)
  }

  /** The checks of one value, oldest first, as far back as the option `history` says. */
  async history(key: K): Promise<readonly CheckEntry[]> {
    return this.#monitor.checks(this.#idOf(key))
  }

  /**
   * Says that a use of the value failed. At the threshold it is deleted from every tier, at once; reports are counted over
   * restarts, until a check is good. Resolves to true when this report did that.
   */
  async reportFailure(key: K, error = 'reported'): Promise<boolean> {
    return this.#monitor.reportFailure(this.#idOf(key), error)
  }

  /**
   * Goes on with what is known of a stored value from elsewhere, such as the program this one takes the place of. What is
   * left out is as of a value that was just added. Resolves to false when nothing is stored under the key.
   *
   * @throws `invalid-value` for an unknown state, a count that is no whole number from 0, a time that is no number
   */
  async restore(key: K, known: Partial<HealthRecord>): Promise<boolean> {
    return this.#monitor.restore(this.#idOf(key), known)
  }
}
