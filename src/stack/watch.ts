import type { Clock } from '../clock.ts'
import type { Entry } from '../entry.ts'
import { isTidemarkError } from '../errors.ts'
import type { Key } from '../key.ts'
import type { TierState } from '../observe/event.ts'
import { isPromise, type Lease, type MaybePromise, type Tier, type TierHost } from '../tier/tier.ts'
import { Circuit, type CircuitSettings } from './circuit.ts'
import { within } from './deadline.ts'
import { Hang } from './hang.ts'
import { Journal, type Change, type JournalLimits } from './journal.ts'

/** How a guard judges its tier. */
export interface GuardSettings extends CircuitSettings {
  /** A read that takes longer is a miss, a write that takes longer goes to the journal. */
  readonly budgetMs: number
  readonly journal: JournalLimits
  /** Off by configuration: never read, written or brought back. */
  readonly disabled: boolean
}

/** Who hears of a tier's state and failures. */
export interface GuardHost extends TierHost {
  stateChanged(tier: string, state: TierState, reason: string, nextProbeAt: number | undefined): void
}

const PROBE_KEY: Key = { name: '#probe', id: 'probe' }

/**
 * The state of one tier: counts its failures, decides when it is out of use, probes it, replays what it missed. After the
 * circuit breaker of Nygard, "Release It!"; reads and writes are counted apart, so that a disk that only refuses writes
 * still answers, and a tier that answers does not hide that it loses what it is given.
 */
export class Watch {
  readonly journal: Journal
  readonly hang: Hang
  /** Called when the tier is read again after it was out of use. */
  onReadable: () => void = () => {}
  /** Called when a set that was missed is no longer journaled: what was read meanwhile may be older than what the tier has. */
  onReplayed: (key: Key) => void = () => {}
  readonly #tier: Tier
  readonly #settings: GuardSettings
  readonly #host: GuardHost
  readonly #clock: Clock
  readonly #reads: Circuit
  readonly #writes: Circuit
  #state: TierState
  #reason = ''
  #refusesWrites = false
  /** The last write found the disk full. */
  #isFull = false
  #quarantined = false
  /** The tier began anew, and nothing was written on a full disk since. */
  #wasEmptied = false
  #replaying = false
  /** Keys of missed sets that others may have overtaken. */
  readonly #replayed: Key[] = []
  #cancelProbe: (() => void) | undefined
  #stopped = false

  constructor(tier: Tier, settings: GuardSettings, host: GuardHost) {
    this.#tier = tier
    this.#settings = settings
    this.#host = host
    this.#clock = host.clock
    this.#reads = new Circuit(settings)
    this.#writes = new Circuit(settings)
    this.journal = new Journal(settings.journal)
    this.hang = new Hang(settings.budgetMs)
    this.#state = settings.disabled ? 'disabled' : 'up'
    if (settings.disabled) this.#reason = 'disabled by configuration'
  }

  get state(): TierState {
    return this.#state
  }

  get reason(): string {
    return this.#reason
  }

  get failures(): { readonly reads: number; readonly writes: number } {
    return { reads: this.#reads.failures, writes: this.#writes.failures }
  }

  /** When it is tried again, while it is out of use. */
  get nextProbeAt(): number | undefined {
    // Reads are probed first; that writes are due as well is no reason to probe reads again at once.
    return [this.#reads, this.#writes].find((circuit) => circuit.isOpen)?.nextProbeAt
  }

  /** Nothing is wrong and nothing was missed: the short way through the guard. */
  get isCalm(): boolean {
    return this.#state === 'up'
  }

  get isReadable(): boolean {
    return !this.#settings.disabled && !this.#reads.isOpen
  }

  get isWritable(): boolean {
    return this.isReadable && !this.#writes.isOpen && !this.#replaying && !this.journal.isOverflowed
  }

  /** Before what was missed is written down: how depends on it. */
  noteFull(error: unknown): void {
    this.#isFull = isTidemarkError(error, 'tier-full')
  }

  /**
   * After a change that found the disk full. A tier that had to be emptied for it has broken the leases of the sets that are
   * journaled, though nobody changed what they set: they get one of now.
   */
  wroteFull(lease: () => Lease): void {
    if (this.#wasEmptied && this.#isFull) this.journal.renew(lease())
    this.#wasEmptied = false
  }

  /** A full disk refuses sets, but an embedded tier has ways to remove all the same; nobody else could do it. */
  get mayRemove(): boolean {
    return this.isReadable && !this.#replaying && this.#isFull
  }

  /** An embedded tier waits for its lock itself and gives up by itself; only a network needs a limit from outside. */
  get writeBudgetMs(): number {
    return this.#tier.capabilities.sync ? Number.POSITIVE_INFINITY : this.#settings.budgetMs
  }

  succeeded(of: 'read' | 'write'): void {
    if (this.#state === 'up') return
    this.#success(of)
    this.#judge('the last operation succeeded')
  }

  failed(of: 'read' | 'write', operation: string, error: unknown): void {
    this.#host.report({ kind: 'failed', operation, error })
    // Damage is settled inside the tier (its file is new); it says nothing about whether the tier works.
    const settled = isTidemarkError(error, 'tier-corrupt') || isTidemarkError(error, 'closed')
    if (!settled) {
      const refused = isTidemarkError(error, 'tier-full') || isTidemarkError(error, 'tier-read-only')
      if (of === 'write' || refused) this.#refusesWrites = refused
      if (of === 'write') this.noteFull(error)
      this.#circuit(of).failure(this.#clock.now(), Math.random(), refused && of === 'write')
    }
    this.#judge(error instanceof Error ? error.message : String(error))
  }

  /** Notes a change the tier was not asked to make; it is replayed when the tier can take it. */
  missed(change: Change): void {
    this.journal.record(change)
    if (this.isCalm) this.#judge('a change was missed')
  }

  /** The tier moved damaged data aside and started anew. */
  quarantined(reason: string): void {
    this.#quarantined = true
    this.#wasEmptied = true
    this.#settle('quarantined', reason)
  }

  stop(): void {
    this.#stopped = true
    this.#cancelProbe?.()
  }

  #success(of: 'read' | 'write'): void {
    this.hang.end()
    if (this.#circuit(of).success() && of === 'read') this.onReadable()
  }

  #circuit(of: 'read' | 'write'): Circuit {
    return of === 'read' ? this.#reads : this.#writes
  }

  /** The state that follows from both breakers and the journal. Sees to it that a probe or a replay is coming. */
  #judge(reason: string): void {
    if (this.#reads.isOpen || this.#writes.isOpen) {
      this.#settle(this.#troubledState(), reason)
      this.#probeLater()
    } else if (!this.journal.isEmpty) {
      this.#settle('recovering', reason)
      void this.#replay()
    } else if (this.#reads.failures + this.#writes.failures > 0) {
      this.#settle('suspect', reason)
      // Without traffic nothing else would clear it.
      this.#probeLater()
    } else this.#settle('up', reason)
  }

  #troubledState(): TierState {
    if ((this.#reads.isOpen ? this.#reads : this.#writes).successes > 0) return 'recovering'
    return this.#refusesWrites ? 'read-only' : 'open'
  }

  #settle(state: TierState, reason: string): void {
    if (state === this.#state || (this.#quarantined && state === 'suspect')) return
    if (state === 'up') this.#quarantined = false
    this.#state = state
    this.#reason = reason
    this.#host.stateChanged(this.#tier.name, state, reason, this.nextProbeAt)
  }

  #probeLater(): void {
    if (this.#cancelProbe || this.#stopped) return
    const { nextProbeAt } = this
    const delayMs =
      nextProbeAt === undefined ? this.#settings.probeBaseMs : Math.max(0, nextProbeAt - this.#clock.now())
    this.#cancelProbe = this.#clock.schedule(delayMs, () => {
      this.#cancelProbe = undefined
      void this.#probe()
    })
  }

  async #probe(): Promise<void> {
    if (this.isCalm) return
    const isReading = this.#reads.isOpen || (!this.#writes.isOpen && this.#reads.failures > 0)
    const of = isReading ? 'read' : 'write'
    try {
      const answer: MaybePromise<unknown> =
        of === 'read' ? this.#tier.get(PROBE_KEY) : this.#tier.remove({ kind: 'key', key: PROBE_KEY })
      if (isPromise(answer)) await within(answer, this.#settings.budgetMs, `${this.#tier.name} probe`)
      this.#success(of)
      this.#judge(`a probe ${of} succeeded`)
    } catch (error) {
      this.failed(of, `probe ${of}`, error)
    }
  }

  /** Brings the tier what it missed. Until that is done new changes queue up behind, and its answers are corrected. */
  async #replay(): Promise<void> {
    if (this.#replaying || this.#stopped) return
    this.#replaying = true
    try {
      for (let change = this.journal.next(); change !== undefined; change = this.journal.next()) {
        try {
          const done: MaybePromise<unknown> =
            change.kind === 'put'
              ? this.#replayPut(change.entry, change.lease)
              : this.#tier.remove(change.selector, change.staleAt)
          if (isPromise(done)) await within(done, this.writeBudgetMs, `${this.#tier.name} replay`)
        } catch (error) {
          if (change.kind !== 'put' || !isTidemarkError(error, 'invalid-value')) throw error
          await this.#dropUnstorable(change.entry.key, error.message)
        }
        this.journal.done(change)
        // Not before: until then the journal answers for the tier.
        for (const key of this.#replayed.splice(0)) this.onReplayed(key)
      }
      this.#replaying = false
      this.#writes.success()
      this.#judge('everything missed was replayed')
    } catch (error) {
      this.#replaying = false
      this.failed('write', 'replay', error)
    }
  }

  /**
   * A set that was missed may be older by now than what other processes did to its key: it is only stored while nothing
   * changed since. Where that cannot be known, what is there is void, which costs a load and is never wrong.
   */
  #replayPut(entry: Entry, lease: Lease | undefined): MaybePromise<unknown> {
    return lease === undefined ? this.#tier.put(entry) : this.#replayShared(entry, lease)
  }

  async #replayShared(entry: Entry, lease: Lease): Promise<void> {
    const { key, freshUntil } = entry
    // What is stored under a lease is told to nobody: a mark that changes nothing tells those who hold what was before.
    if (!Number.isNaN(lease) && (await this.#tier.put(entry, lease))) await this.#removeKey(key, freshUntil)
    // What broke the lease may have concerned another key, or have been a set of our own of which no answer came.
    else if (!(await this.#hasNewer(entry))) await this.#removeKey(key)
    // Stored or not: others may have changed the key since, and the journal has answered for it until now.
    this.#replayed.push(key)
  }

  /** Only asked of tiers on this machine: whoever writes to the others may go by another clock. */
  async #hasNewer({ key, loadedAt }: Entry): Promise<boolean> {
    if (!this.#tier.capabilities.sync) return false
    const stored = await this.#tier.get(key)
    return stored !== undefined && stored.loadedAt > loadedAt
  }

  #removeKey(key: Key, staleAt?: number): MaybePromise<number> {
    return this.#tier.remove({ kind: 'key', key }, staleAt)
  }

  /** It would have been refused when it was set, and must not be tried for ever; what it was to replace is void. */
  async #dropUnstorable(key: Key, message: string): Promise<void> {
    const removed = this.#tier.remove({ kind: 'key', key })
    if (isPromise(removed)) await within(removed, this.writeBudgetMs, `${this.#tier.name} replay`)
    this.#host.report({ kind: 'skipped', key, why: 'invalid-value', message })
  }
}
