import { TidemarkError } from '../errors.ts'
import type { Context } from '../load/context.ts'
import type { HealthState } from '../observe/event.ts'
import { Agenda } from './agenda.ts'
import { Ledger, type CheckEntry } from './ledger.ts'
import { resolveHealth, type HealthOptions, type HealthSettings } from './options.ts'
import { Pool, type HealthCounts } from './pool.ts'
import { runCheck } from './run-check.ts'
import { begun, ended, newRecord, resumed, type HealthRecord, type Outcome } from './state.ts'

/** One value as the monitor knows it. */
interface Watched {
  record: HealthRecord
  readonly scope: string | undefined
  /** Failed uses in a row that were reported. */
  reports: number
}

/** The longest the monitor sleeps: other processes may have added values meanwhile. */
const RESCAN_MS = 60_000
const RESCAN_DELAY_MS = 200

/**
 * Checks the stored values of one resource: what is due, at most `concurrency` at once, never one value twice at once, by
 * one process where several share a tier. Everything it knows is stored, so a restart goes on where it stopped.
 */
export class Monitor<V> {
  readonly #name: string
  readonly #settings: HealthSettings<V>
  readonly #context: Context
  readonly #ledger: Ledger
  readonly #pool = new Pool()
  readonly #agenda = new Agenda()
  readonly #watched = new Map<string, Watched>()
  readonly #running = new Set<string>()
  /** Due again while their check still runs: added anew, or shortly after. */
  readonly #again = new Set<string>()
  readonly #stopping = new AbortController()
  #cancel: (() => void) | undefined
  #isRescanning = false
  /** Something was removed on purpose since the last look: what is gone by now is not coming back. */
  #isRemoval = false
  /** Resolves when what was stored before has been taken in. */
  readonly ready: Promise<void>

  constructor(name: string, options: HealthOptions<V>, context: Context) {
    this.#name = name
    this.#settings = resolveHealth(options)
    this.#context = context
    this.#ledger = new Ledger(name, context.stack)
    context.onClose(() => this.#stop())
    context.stack.onChange((change) => {
      if ('selector' in change && change.selector.kind === 'key') {
        const { key } = change.selector
        if (key.name === name) void this.#look(key.id).catch(() => {})
      } else this.#rescanSoon('selector' in change)
    })
    this.ready = this.#scan().then(
      () => this.#plan(),
      // The tiers report their own failures; the next look takes in what this one could not.
      () => this.#plan(),
    )
  }

  /** How many values are in each state. */
  get counts(): HealthCounts {
    return this.#pool.counts
  }

  get isDegraded(): boolean {
    return this.#pool.isDegraded
  }

  /** What is known of a value, without asking anybody; `undefined` when it is not stored. */
  recordOf(id: string): HealthRecord | undefined {
    return this.#watched.get(id)?.record
  }

  /** The ids of all values in this state. */
  idsIn(state: HealthState): string[] {
    return [...this.#watched].filter(([, { record }]) => record.state === state).map(([id]) => id)
  }

  checks(id: string): Promise<readonly CheckEntry[]> {
    return this.#ledger.checks(id)
  }

  /** A value was loaded. One that was dead begins anew; others keep what is known of them. */
  added(id: string, scope: string | undefined): void {
    const before = this.#watched.get(id)
    if (before && before.record.state !== 'dead') return
    this.#take(id, scope, newRecord(this.#context.clock.now()))
    this.#plan()
  }

  /**
   * A use of the value failed. Counts, and at the threshold deletes it from every tier at once.
   * Resolves to true when that was the report that did it.
   */
  async reportFailure(id: string, error: string): Promise<boolean> {
    const watched = this.#watched.get(id)
    if (!watched) return false
    watched.reports++
    const now = this.#context.clock.now()
    const check = { at: now, state: watched.record.state, ok: false, responseMs: 0, error }
    await this.#ledger.append(id, watched.scope, check, this.#settings.historyMs)
    if (watched.reports < this.#settings.evictAfterReports) return false
    await this.#forget(id, true)
    this.#context.hub.emit({ type: 'deleted', name: this.#name, key: id, count: 1 })
    return true
  }

  /** Takes in what is stored and not known yet, also by other processes, and forgets what is gone. */
  async #scan(): Promise<void> {
    // Only those known before the list was begun can be missing from it.
    const gone = new Set(this.#watched.keys())
    for await (const { id, scope } of this.#ledger.values()) {
      gone.delete(id)
      if (this.#watched.has(id)) continue
      const record = await this.#ledger.record(id)
      if (this.#watched.has(id) || this.#context.isClosed) continue
      const now = this.#context.clock.now()
      this.#take(id, scope, record ? resumed(record, now, this.#settings.rules) : newRecord(now))
    }
    const isRemoval = this.#isRemoval
    this.#isRemoval = false
    for (const id of gone) {
      if (this.#running.has(id)) continue
      // A tier that is out of use lists nothing; what was stored of its values' health must outlive that.
      if (isRemoval) await this.#forget(id, false)
      else this.#drop(id)
    }
  }

  /** One key was set or deleted. */
  async #look(id: string): Promise<void> {
    const entry = await this.#ledger.value(id)
    if (this.#context.isClosed) return
    if (entry) this.added(id, entry.scope)
    else if (this.#watched.has(id)) await this.#forget(id, false)
  }

  /** A group was removed, or another process changed something: look at what is left, once for all that came together. */
  #rescanSoon(isRemoval: boolean): void {
    this.#isRemoval ||= isRemoval
    if (this.#isRescanning || this.#context.isClosed) return
    this.#isRescanning = true
    this.#context.clock.schedule(RESCAN_DELAY_MS, () => {
      this.#isRescanning = false
      void this.#scan().then(
        () => this.#plan(),
        () => {},
      )
    })
  }

  #take(id: string, scope: string | undefined, record: HealthRecord): void {
    const before = this.#watched.get(id)
    this.#watched.set(id, { record, scope, reports: 0 })
    this.#moved(id, before?.record.state, record.state)
    if (record.state !== 'dead') this.#agenda.set(id, record.nextCheckAt)
  }

  #drop(id: string): void {
    const watched = this.#watched.get(id)
    if (!watched) return
    this.#watched.delete(id)
    this.#agenda.delete(id)
    this.#moved(id, watched.record.state, undefined)
  }

  async #forget(id: string, value: boolean): Promise<void> {
    this.#drop(id)
    await this.#ledger.remove(id, value)
  }

  /** Begins what is due, and sleeps until the next is. */
  #plan(): void {
    if (this.#context.isClosed) return
    const { clock } = this.#context
    while (this.#running.size < this.#settings.concurrency) {
      const id = this.#agenda.takeDue(clock.now())
      if (id === undefined) break
      if (this.#running.has(id)) {
        this.#again.add(id)
        continue
      }
      this.#running.add(id)
      void this.#check(id).finally(() => {
        this.#running.delete(id)
        if (this.#again.delete(id) && this.#watched.has(id)) this.#agenda.set(id, clock.now())
        this.#plan()
      })
    }
    this.#cancel?.()
    const waitMs = Math.min(RESCAN_MS, Math.max(1, this.#agenda.nextAt - clock.now()))
    const isBusy = this.#running.size >= this.#settings.concurrency
    this.#cancel = clock.schedule(isBusy ? RESCAN_MS : waitMs, () => void this.#wake())
  }

  async #wake(): Promise<void> {
    if (this.#agenda.nextAt > this.#context.clock.now()) await this.#scan().catch(() => {})
    this.#plan()
  }

  async #check(id: string): Promise<void> {
    const { clock, stack, owner } = this.#context
    const watched = this.#watched.get(id)
    const entry = await this.#ledger.value(id)
    if (!watched || !entry) {
      await this.#forget(id, false)
      return
    }
    const claimKey = { name: `${this.#name}#health`, id }
    const claimed = (await stack.claims?.acquire(claimKey, owner, clock.now() + this.#settings.timeoutMs)) ?? true
    if (!claimed) {
      // Another process is at it: look at what it found.
      const theirs = await this.#ledger.record(id)
      const again = clock.now() + this.#settings.timeoutMs
      if (this.#watched.get(id) === watched)
        this.#become(id, watched, {
          ...(theirs ?? watched.record),
          nextCheckAt: Math.max(theirs?.nextCheckAt ?? 0, again),
        })
      return
    }
    try {
      this.#become(id, watched, begun(watched.record))
      const value = this.#context.handout.out(entry.value as V)
      const outcome = await runCheck(this.#settings, id, value, clock, this.#stopping.signal)
      // Closed, deleted or added anew while it ran: its outcome is nobody's.
      if (this.#context.isClosed || this.#watched.get(id) !== watched) return
      await this.#conclude(id, watched, outcome, entry.keepUntil)
    } finally {
      await stack.claims?.release(claimKey, owner)
    }
  }

  async #conclude(id: string, watched: Watched, outcome: Outcome, until: number): Promise<void> {
    const { clock } = this.#context
    const now = clock.now()
    const record = ended(watched.record, outcome, now, this.#settings.rules, Math.random())
    if (outcome.ok) watched.reports = 0
    this.#become(id, watched, record)
    const { responseMs, ok, error } = outcome
    const { state } = record
    this.#context.hub.emit({ type: 'checked', name: this.#name, key: id, ok, state, responseMs, error })
    const check = { at: now, state, ok, responseMs, ...(error === undefined ? undefined : { error }) }
    if (state === 'dead' && this.#settings.evictWhenDead) {
      await this.#forget(id, true)
      this.#context.hub.emit({ type: 'deleted', name: this.#name, key: id, count: 1 })
      return
    }
    await this.#ledger.write(id, watched.scope, record, now, until)
    await this.#ledger.append(id, watched.scope, check, this.#settings.historyMs)
  }

  #become(id: string, watched: Watched, record: HealthRecord): void {
    const from = watched.record.state
    watched.record = record
    this.#moved(id, from, record.state)
    if (record.state === 'dead') this.#agenda.delete(id)
    else if (!this.#running.has(id) || record.nextCheckAt > this.#context.clock.now())
      this.#agenda.set(id, record.nextCheckAt)
  }

  #moved(id: string, from: HealthState | undefined, to: HealthState | undefined): void {
    if (from === to) return
    const { hub } = this.#context
    const poolChanged = this.#pool.move(from, to)
    if (from !== undefined && to !== undefined) {
      hub.emit({ type: 'health', name: this.#name, key: id, from, to, error: this.#watched.get(id)?.record.lastError })
    }
    if (poolChanged) {
      const { healthy } = this.#pool.counts
      hub.emit({ type: 'pool', name: this.#name, degraded: this.#pool.isDegraded, healthy, total: this.#pool.total })
    }
  }

  #stop(): void {
    this.#cancel?.()
    this.#stopping.abort(new TidemarkError('closed', 'The cache was closed.'))
  }
}
