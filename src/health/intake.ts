import type { Context } from '../load/context.ts'
import type { Ledger } from './ledger.ts'
import type { Roster } from './roster.ts'
import { newRecord, resumed, type HealthRecord, type HealthRules } from './state.ts'

/** The longest between two looks at all that is stored: other processes may have added values meanwhile. */
export const SCAN_MS = 60_000
const SCAN_DELAY_MS = 200

/** What an intake needs of its monitor. */
interface Host {
  isRunning(id: string): boolean
  /** Watches a value no longer, and removes what is stored of its health. */
  forget(id: string): Promise<void>
  /** A look that was asked for is over. */
  scanned(): void
}

/** Keeps the roster what is stored: takes in what is new, also by other processes, and lets go what is gone. */
export class Intake {
  readonly #roster: Roster
  readonly #ledger: Ledger
  readonly #rules: HealthRules
  readonly #context: Context
  readonly #host: Host
  #scannedAt = 0
  #isWaiting = false
  /** Something was removed on purpose since the last look: what is gone by now is not coming back. */
  #isRemoval = false

  constructor(roster: Roster, ledger: Ledger, rules: HealthRules, context: Context, host: Host) {
    this.#roster = roster
    this.#ledger = ledger
    this.#rules = rules
    this.#context = context
    this.#host = host
  }

  /** The last look is long ago. */
  get isDue(): boolean {
    return this.#context.clock.now() - this.#scannedAt >= SCAN_MS
  }

  /** Looks at everything that is stored. */
  async scan(): Promise<void> {
    this.#scannedAt = this.#context.clock.now()
    // Only those known before the list was begun can be missing from it.
    const gone = new Set(this.#roster.ids())
    for await (const { id, scope } of this.#ledger.values()) {
      gone.delete(id)
      if (this.#roster.get(id)) continue
      const record = await this.#stored(id)
      if (this.#roster.get(id) || this.#context.isClosed) continue
      const now = this.#context.clock.now()
      this.#roster.take(id, scope, record ? resumed(record, now, this.#rules) : newRecord(now))
    }
    const isRemoval = this.#isRemoval
    this.#isRemoval = false
    for (const id of gone) {
      if (this.#host.isRunning(id)) continue
      // A tier that is out of use lists nothing; what was stored of its values' health must outlive that.
      if (isRemoval) await this.#host.forget(id)
      else this.#roster.drop(id)
    }
  }

  /** A group was removed, or another process changed something: one look for all that comes together. */
  scanSoon(isRemoval: boolean): void {
    this.#isRemoval ||= isRemoval
    if (this.#isWaiting || this.#context.isClosed) return
    this.#isWaiting = true
    this.#context.clock.schedule(SCAN_DELAY_MS, () => {
      this.#isWaiting = false
      void this.scan().then(
        () => this.#host.scanned(),
        () => {},
      )
    })
  }

  /** What is stored of a value's health, but not of one that was dead and has been set since. */
  async #stored(id: string): Promise<HealthRecord | undefined> {
    const record = await this.#ledger.record(id)
    if (record?.state !== 'dead') return record
    const entry = await this.#ledger.value(id)
    return entry && entry.loadedAt >= (record.lastCheckAt ?? 0) ? undefined : record
  }
}
