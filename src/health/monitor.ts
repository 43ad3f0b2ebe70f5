import type { Entry } from '../entry.ts'
import { TidemarkError } from '../errors.ts'
import type { Context } from '../load/context.ts'
import type { HealthState } from '../observe/event.ts'
import { Intake, SCAN_MS } from './intake.ts'
import { Ledger, type CheckEntry } from './ledger.ts'
import { resolveHealth, type HealthOptions, type HealthSettings } from './options.ts'
import type { HealthCounts } from './pool.ts'
import { Roster, type Watched } from './roster.ts'
import { runCheck } from './run-check.ts'
import { begun, ended, newRecord, restored, resumed, type HealthRecord, type Outcome } from './state.ts'
import { Turns } from './turns.ts'

/** What a monitor needs of an entry that was stored. */
type Stored = Pick<Entry, 'scope' | 'keepUntil'>

/**
 * Checks the stored values of one resource: what is due, at most `concurrency` at once, never one value twice at once, by
 * one process where several share a tier. Everything it knows is stored, so a restart goes on where it stopped.
 */
export class Monitor<V> {
  readonly #name: string
  readonly #settings: HealthSettings<V>
  readonly #context: Context
  readonly #ledger: Ledger
  readonly #roster: Roster
  readonly #intake: Intake
  readonly #running = new Set<string>()
  /** Due again while their check still runs: added anew, or shortly after. */
  readonly #again = new Set<string>()
  /** What is stored of one value changes in the order in which it came to be. */
  readonly #turns = new Turns()
  readonly #stopping = new AbortController()
  #cancel: (() => void) | undefined
  /** Resolves when what was stored before has been taken in. */
  readonly ready: Promise<void>

  constructor(name: string, options: HealthOptions<V>, context: Context) {
    this.#name = name
    this.#settings = resolveHealth(options)
    this.#context = context
    this.#ledger = new Ledger(name, context.stack)
    this.#roster = new Roster(name, context.hub, context.clock)
    this.#intake = new Intake(this.#roster, this.#ledger, this.#settings.rules, context, {
      isRunning: (id) => this.#running.has(id),
      forget: (id) => this.#forget(id),
      scanned: () => this.#plan(),
    })
    context.onClose(() => this.#stop())
    context.stack.onChange((change) => {
      if ('selector' in change && change.selector.kind === 'key') {
        const { key } = change.selector
        if (key.name === name) void this.#look(key.id).catch(() => {})
      } else this.#intake.scanSoon('selector' in change)
    })
    this.ready = this.#begin()
  }

  /** How many values are in each state. */
  get counts(): HealthCounts {
    return this.#roster.counts
  }

  get isDegraded(): boolean {
    return this.#roster.isDegraded
  }

  /** What is known of a value, without asking anybody; `undefined` when it is not stored. */
  recordOf(id: string): HealthRecord | undefined {
    return this.#roster.get(id)?.record
  }

  /** The ids of all values in this state. */
  idsIn(state: HealthState): string[] {
    return this.#roster.idsIn(state)
  }

  checks(id: string): Promise<readonly CheckEntry[]> {
    return this.#ledger.checks(id)
  }

  /** A value was stored. One that was dead begins anew; others keep what is known of them. */
  added(id: string, { scope, keepUntil }: Stored): void {
    const before = this.#roster.get(id)
    if (before && before.record.state !== 'dead') return
    const now = this.#context.clock.now()
    this.#roster.take(id, scope, newRecord(now))
    // Otherwise a restart before the next check would find it dead.
    if (before) void this.#save(id, keepUntil).catch(() => {})
    this.#plan()
  }

  /**
   * A use of the value failed. Counts, and at the threshold deletes it from every tier at once.
   * Resolves to true when that was the report that did it.
   */
  async reportFailure(id: string, error: string): Promise<boolean> {
    await this.ready
    return this.#turns.take(id, async () => {
      const [entry, theirs] = [await this.#ledger.value(id), await this.#theirs(id)]
      const watched = this.#roster.get(id)
      if (!watched || !entry) return false
      const { record } = watched
      const reports = 1 + Math.max(record.reports, theirs?.checks === record.checks ? theirs.reports : 0)
      if (reports >= this.#settings.evictAfterReports) {
        this.#roster.drop(id)
        await this.#ledger.remove(id, true)
        this.#context.hub.emit({ type: 'deleted', name: this.#name, key: id, count: 1 })
        return true
      }
      this.#roster.become(id, watched, { ...record, reports })
      const now = this.#context.clock.now()
      await this.#ledger.write(id, watched.scope, watched.record, now, entry.keepUntil)
      const check = { at: now, state: record.state, ok: false, responseMs: 0, error }
      await this.#ledger.append(id, watched.scope, check, this.#settings.historyMs)
      return false
    })
  }

  /**
   * Goes on with what was known of a stored value elsewhere. Resolves to false when nothing is stored under the id.
   * Errors: `invalid-value`.
   */
  async restore(id: string, known: Partial<HealthRecord>): Promise<boolean> {
    const record = restored(known, this.#context.clock.now(), this.#settings.rules)
    await this.ready
    const entry = await this.#ledger.value(id)
    if (!entry) return false
    this.#roster.take(id, entry.scope, record)
    await this.#save(id, entry.keepUntil)
    this.#plan()
    return true
  }

  async #begin(): Promise<void> {
    let wasDegraded = false
    try {
      await this.#intake.scan()
      wasDegraded = await this.#ledger.wasDegraded()
    } catch {
      // The tiers report their own failures; the next look takes in what this one could not.
    }
    if (this.#context.isClosed) return
    this.#roster.beginJudging(wasDegraded)
    this.#roster.onPool = (isDegraded) => void this.#ledger.writeDegraded(isDegraded).catch(() => {})
    this.#plan()
  }

  /** One key was set or deleted. */
  async #look(id: string): Promise<void> {
    const entry = await this.#ledger.value(id)
    if (this.#context.isClosed) return
    if (entry) this.added(id, entry)
    else if (this.#roster.get(id)) await this.#forget(id)
  }

  async #forget(id: string): Promise<void> {
    this.#roster.drop(id)
    await this.#turns.take(id, () => this.#ledger.remove(id, false))
  }

  /** Stores what is known of a value by the time it is its turn. */
  #save(id: string, until: number): Promise<void> {
    return this.#turns.take(id, async () => {
      const watched = this.#roster.get(id)
      if (watched) await this.#ledger.write(id, watched.scope, watched.record, this.#context.clock.now(), until)
    })
  }

  /** Begins what is due, and sleeps until the next is. */
  #plan(): void {
    if (this.#context.isClosed) return
    const { clock } = this.#context
    while (this.#running.size < this.#settings.concurrency) {
      const id = this.#roster.takeDue()
      if (id === undefined) break
      if (this.#running.has(id)) {
        this.#again.add(id)
        continue
      }
      this.#running.add(id)
      // The tiers report their own failures; a check that could not be made is made later.
      const failed = (): void => this.#roster.schedule(id, clock.now() + this.#settings.timeoutMs)
      void this.#check(id)
        .catch(failed)
        .finally(() => {
          this.#running.delete(id)
          if (this.#again.delete(id)) this.#roster.schedule(id, clock.now())
          this.#plan()
        })
    }
    this.#cancel?.()
    const waitMs = Math.min(SCAN_MS, Math.max(1, this.#roster.nextAt - clock.now()))
    const isBusy = this.#running.size >= this.#settings.concurrency
    this.#cancel = clock.schedule(isBusy ? SCAN_MS : waitMs, () => void this.#wake())
  }

  async #wake(): Promise<void> {
    if (this.#intake.isDue) await this.#intake.scan().catch(() => {})
    this.#plan()
  }

  async #check(id: string): Promise<void> {
    const { clock, stack, owner } = this.#context
    const watched = this.#roster.get(id)
    const entry = await this.#ledger.value(id)
    if (!watched || this.#roster.get(id) !== watched) return
    // Past its time, or in a tier that is out of use: the next look at everything finds it again if it is still there.
    if (!entry) return this.#roster.drop(id)
    const claimKey = { name: `${this.#name}#health`, id }
    const isClaimed = (await stack.claims?.acquire(claimKey, owner, clock.now() + this.#settings.timeoutMs)) ?? true
    if (!isClaimed) {
      // Another process is at it: look at what it found.
      this.#roster.schedule(id, clock.now() + this.#settings.timeoutMs)
      return
    }
    try {
      const theirs = await this.#theirs(id)
      if (this.#roster.get(id) !== watched) return
      if (theirs && theirs.checks > watched.record.checks) {
        this.#roster.adopt(id, watched, resumed(theirs, clock.now(), this.#settings.rules))
        if (watched.record.state === 'dead' || watched.record.nextCheckAt > clock.now()) return
      }
      this.#roster.become(id, watched, begun(watched.record))
      const value = this.#context.handout.out(entry.value as V)
      const outcome = await runCheck(this.#settings, id, value, clock, this.#stopping.signal)
      await this.#turns.take(id, () => this.#conclude(id, watched, outcome, entry.keepUntil))
    } finally {
      await stack.claims?.release(claimKey, owner)
    }
  }

  async #conclude(id: string, watched: Watched, outcome: Outcome, until: number): Promise<void> {
    // Closed, deleted or added anew while it ran: its outcome is nobody's.
    if (this.#context.isClosed || this.#roster.get(id) !== watched) return
    const { clock, hub } = this.#context
    const now = clock.now()
    const record = ended(watched.record, outcome, now, this.#settings.rules, Math.random())
    this.#roster.become(id, watched, record)
    const { responseMs, ok, error } = outcome
    const { state } = record
    hub.emit({ type: 'checked', name: this.#name, key: id, ok, state, responseMs, error })
    if (state === 'dead' && this.#settings.evictWhenDead) {
      this.#roster.drop(id)
      await this.#ledger.remove(id, true)
      hub.emit({ type: 'deleted', name: this.#name, key: id, count: 1 })
      return
    }
    await this.#ledger.write(id, watched.scope, record, now, until)
    const check = { at: now, state, ok, responseMs, ...(error === undefined ? undefined : { error }) }
    await this.#ledger.append(id, watched.scope, check, this.#settings.historyMs)
  }

  /** What other processes have stored of a value's health by now. */
  async #theirs(id: string): Promise<HealthRecord | undefined> {
    const { stack } = this.#context
    if (!stack.claims) return undefined
    await stack.check()
    return this.#ledger.record(id)
  }

  #stop(): void {
    this.#cancel?.()
    this.#stopping.abort(new TidemarkError('closed', 'The cache was closed.'))
  }
}
