import type { Entry, KeyInfo } from '../entry.ts'
import { isTidemarkError } from '../errors.ts'
import type { Key, Selector } from '../key.ts'
import {
  isPromise,
  type Capabilities,
  type ChangeFeed,
  type ChangedSlots,
  type Claims,
  type Lease,
  type MaybePromise,
  type Tier,
} from '../tier/tier.ts'
import { isOverBudget, within } from './deadline.ts'
import { guardClaims, guardFeed } from './guard-shared.ts'
import type { Change } from './journal.ts'
import { LastLease, NO_LEASE } from './last-lease.ts'
import type { TierStatus } from './status.ts'
import { Watch, type GuardHost, type GuardSettings } from './watch.ts'

/** Counting walks the tier: it may take so many budgets, and says nothing about the tier's health when it takes longer. */
const COUNT_BUDGETS = 100

/**
 * A tier around a tier that may fail: bounds every operation in time, leaves the tier alone while it is out of use, and
 * keeps what it missed. No failure of the tier passes; only a value that cannot be stored is the caller's own trouble.
 */
export class Guard implements Tier {
  readonly name: string
  readonly capabilities: Capabilities
  readonly feed?: ChangeFeed
  readonly claims?: Claims
  readonly storeId?: () => string | undefined
  readonly #tier: Tier
  readonly #settings: GuardSettings
  readonly #watch: Watch
  readonly #lastLease: LastLease

  constructor(tier: Tier, settings: GuardSettings, host: GuardHost) {
    this.name = tier.name
    this.capabilities = tier.capabilities
    this.#tier = tier
    this.#settings = settings
    this.#lastLease = new LastLease(tier)
    this.#watch = new Watch(tier, settings, host)
    if (settings.disabled) return
    if (tier.storeId) this.storeId = () => tier.storeId?.()
    tier.attach?.({
      clock: host.clock,
      budgetMs: settings.budgetMs,
      report: (news) => {
        if (news.kind === 'quarantined') this.#watch.quarantined(news.reason)
        else if (news.kind === 'failed' && news.operation === 'open') this.#watch.failed('read', 'open', news.error)
        else host.report(news)
      },
    })
    if (tier.feed) this.feed = guardFeed(tier.feed, this.#watch, settings.budgetMs)
    if (tier.claims) this.claims = guardClaims(tier.claims, this.#watch, settings.budgetMs)
  }

  get status(): TierStatus {
    const { state, reason, nextProbeAt, failures, journal } = this.#watch
    return {
      tier: this.name,
      state,
      reason,
      nextProbeAt,
      failures,
      journal: { items: journal.items, bytes: journal.bytes, overflowed: journal.isOverflowed },
      capabilities: this.capabilities,
    }
  }

  /** Nothing is wrong, and nothing was missed. */
  get isCalm(): boolean {
    return this.#watch.isCalm
  }

  get isDisabled(): boolean {
    return this.#settings.disabled
  }

  get(key: Key): MaybePromise<Entry | undefined> {
    const { isReadable, journal } = this.#watch
    if (!isReadable) return this.#settings.disabled ? undefined : journal.correct(key, undefined)
    if (!this.#watch.isCalm && this.#watch.hang.isOnFor(key)) return journal.correct(key, undefined)
    try {
      const answer = this.#tier.get(key)
      // The short way: most reads find nothing wrong, and the closures of the long one cost as much as the read's own code.
      if (this.#watch.isCalm && !isPromise(answer)) return answer
      return this.#settleRead('get', answer, undefined, (entry) => journal.correct(key, entry), key)
    } catch (error) {
      this.#watch.failed('read', 'get', error)
      return undefined
    }
  }

  getMany(keys: readonly Key[]): MaybePromise<(Entry | undefined)[]> {
    const tier = this.#tier
    if (!tier.getMany || !this.#watch.isReadable) return allOf(keys.map((key) => this.get(key)))
    const correct = (answers: (Entry | undefined)[]): (Entry | undefined)[] =>
      keys.map((key, i) => this.#watch.journal.correct(key, answers[i]))
    const none = keys.map(() => undefined)
    return this.#read('getMany', () => tier.getMany?.(keys) ?? none, none, correct)
  }

  lease(): MaybePromise<Lease> {
    if (!this.#watch.isReadable || this.#watch.hang.isOn) return NO_LEASE
    const lease = this.#read('lease', () => this.#tier.lease(), NO_LEASE)
    return isPromise(lease) ? lease.then((it) => this.#lastLease.given(it)) : lease
  }

  put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
    if (this.#settings.disabled) return true
    if (Number.isNaN(lease) || !this.#watch.isWritable) {
      this.#watch.missed(this.#missedPut(entry, lease))
      return true
    }
    const missed = this.#watch.journal.missedOf(entry.key)
    try {
      const answer = this.#tier.put(entry, lease)
      if (!isPromise(answer)) return this.#wasPut(entry.key, answer, missed)
      return this.#bounded('put', answer).then(
        (stored) => this.#wasPut(entry.key, stored, missed),
        (error: unknown) => this.#putFailed(entry, lease, error),
      )
    } catch (error) {
      return this.#putFailed(entry, lease, error)
    }
  }

  remove(selector: Selector, staleAt?: number): MaybePromise<number> {
    if (this.#settings.disabled) return 0
    const missed: Change = { kind: 'remove', selector, staleAt }
    if (!this.#watch.isWritable) {
      // Also when it is tried all the same: what the journal holds for these entries must not be replayed over it.
      this.#watch.missed(missed)
      if (!this.#watch.mayRemove) return 0
    }
    const failed = (error: unknown): number => {
      this.#writeFailed('remove', error, () => missed)
      return 0
    }
    const isOfKey = selector.kind === 'key' && staleAt === undefined
    const before = isOfKey ? this.#watch.journal.missedOf(selector.key) : undefined
    const succeeded = (count: number): number => {
      if (!this.#watch.isCalm) this.#watch.wroteFull(() => this.#lastLease.now())
      this.#watch.succeeded('write')
      if (isOfKey) this.#watch.journal.settle(selector.key, before)
      this.#lastLease.changed()
      return count
    }
    return this.#settleWrite('remove', () => this.#tier.remove(selector, staleAt), succeeded, failed)
  }

  async *keys(selector: Selector): AsyncIterable<KeyInfo> {
    if (!this.#watch.isReadable) return
    const { journal } = this.#watch
    try {
      const walk = this.#tier.keys(selector)[Symbol.asyncIterator]()
      for (;;) {
        const { done, value } = await within(walk.next(), this.#settings.budgetMs, `${this.name} keys`)
        if (done === true) return
        const info: KeyInfo = value
        if (journal.isEmpty || journal.correct(info.key, { ...info, value: undefined })) yield info
      }
    } catch (error) {
      this.#watch.failed('read', 'keys', error)
    }
  }

  count(selector: Selector): MaybePromise<number> {
    if (!this.#watch.isReadable) return 0
    try {
      const answer = this.#tier.count(selector)
      if (!isPromise(answer)) return answer
      return within(answer, this.#settings.budgetMs * COUNT_BUDGETS, `${this.name} count`).catch(() => 0)
    } catch (error) {
      this.#watch.failed('read', 'count', error)
      return 0
    }
  }

  sweep(now: number, limit: number): MaybePromise<number> {
    if (!this.#watch.isWritable) return 0
    const failed = (error: unknown): number => {
      this.#writeFailed('sweep', error, undefined)
      return 0
    }
    return this.#settleWrite(
      'sweep',
      () => this.#tier.sweep(now, limit),
      (count) => count,
      failed,
    )
  }

  async close(): Promise<void> {
    this.#watch.stop()
    if (this.#settings.disabled) return
    try {
      await this.#tier.close()
    } catch (error) {
      this.#watch.failed('write', 'close', error)
    }
  }

  forget(changed: ChangedSlots): void {
    if (!this.#settings.disabled) this.#tier.forget?.(changed)
  }

  #read<T>(operation: string, run: () => MaybePromise<T>, otherwise: T, correct?: (answer: T) => T): MaybePromise<T> {
    try {
      return this.#settleRead(operation, run(), otherwise, correct)
    } catch (error) {
      this.#watch.failed('read', operation, error)
      return otherwise
    }
  }

  #settleRead<T>(
    operation: string,
    answer: MaybePromise<T>,
    otherwise: T,
    correct?: (answer: T) => T,
    key?: Key,
  ): MaybePromise<T> {
    const succeeded = (value: T): T => {
      if (this.#watch.isCalm) return value
      // A lease or a count that works must not hide that reads fail.
      if (operation.startsWith('get')) this.#watch.succeeded('read')
      return correct ? correct(value) : value
    }
    if (!isPromise(answer)) return succeeded(answer)
    return within(answer, this.#settings.budgetMs, `${this.name} ${operation}`).then(succeeded, (error: unknown) => {
      if (key && isOverBudget(error)) this.#watch.hang.begin(key)
      this.#watch.failed('read', operation, error)
      return otherwise
    })
  }

  #settleWrite<T>(
    operation: string,
    run: () => MaybePromise<T>,
    succeeded: (answer: T) => T,
    failed: (error: unknown) => T,
  ): MaybePromise<T> {
    try {
      const answer = run()
      return isPromise(answer) ? this.#bounded(operation, answer).then(succeeded, failed) : succeeded(answer)
    } catch (error) {
      return failed(error)
    }
  }

  #bounded<T>(operation: string, answer: Promise<T>): Promise<T> {
    const { writeBudgetMs } = this.#watch
    if (writeBudgetMs === Number.POSITIVE_INFINITY) return answer
    return within(answer, writeBudgetMs, `${this.name} ${operation}`)
  }

  #wasPut(key: Key, stored: boolean, missed: Change | undefined): boolean {
    this.#watch.succeeded('write')
    if (stored) this.#watch.journal.settle(key, missed)
    this.#lastLease.changed()
    return stored
  }

  #putFailed(entry: Entry, lease: Lease | undefined, error: unknown): boolean {
    this.#writeFailed('put', error, () => this.#missedPut(entry, lease))
    this.#watch.wroteFull(() => this.#lastLease.now())
    return true
  }

  /**
   * A value that was loaded is not journaled, it can be loaded again; but what it would have replaced is void. A set is, with
   * the lease of this moment where others write to the tier too.
   */
  #missedPut(entry: Entry, lease: Lease | undefined): Change {
    if (lease !== undefined) return { kind: 'remove', selector: { kind: 'key', key: entry.key } }
    if (!this.capabilities.shared) return { kind: 'put', entry }
    // Of now, after the attempt: a full disk has made the tier let go of the older value by itself.
    return { kind: 'put', entry, lease: this.#lastLease.now() }
  }

  /** A value that cannot be stored is the caller's trouble; anything else is the tier's, and the tier missed the change. */
  #writeFailed(operation: string, error: unknown, missed: (() => Change) | undefined): void {
    if (isTidemarkError(error, 'invalid-value')) throw error
    this.#watch.noteFull(error)
    if (missed) this.#watch.journal.record(missed())
    this.#watch.failed('write', operation, error)
  }
}

function allOf<T>(answers: readonly MaybePromise<T>[]): MaybePromise<T[]> {
  return answers.some((answer) => isPromise(answer)) ? Promise.all(answers) : (answers as T[])
}
