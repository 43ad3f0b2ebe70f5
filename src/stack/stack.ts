import type { Entry, KeyInfo } from '../entry.ts'
import { TidemarkError, isTidemarkError } from '../errors.ts'
import type { Key, Selector } from '../key.ts'
import {
  isPromise,
  type Capabilities,
  type ChangedSlots,
  type Claims,
  type EraLease,
  type Front,
  type Lease,
  type MaybePromise,
  type Tier,
} from '../tier/tier.ts'
import { promote } from './promote.ts'

/** An entry with the tier that answered. */
export interface Found {
  readonly entry: Entry
  readonly tier: string
  /** True when it is what the reader accepts. */
  readonly isAccepted: boolean
}

/** What changed under the readers: a selector in this process, slots in others. */
export type StackChange = { readonly selector: Selector } | { readonly slots: ChangedSlots }

/** What a stack needs of the cache around it. */
export interface StackHost {
  /** Makes an entry that comes up from a lower tier fit to be shared in memory; `undefined` when that cannot be. */
  admit(entry: Entry, tier: string): Entry | undefined
  /** A value that a tier cannot store; it stays in the tiers above. */
  unstorable(key: Key, tier: string, message: string): void
}

/**
 * Tiers in order, fastest first; itself a tier. It finds, copies upward, writes to all and removes from all; it never
 * judges whether an entry is fresh: the reader says what it accepts.
 */
export class Stack implements Tier {
  readonly name = 'stack'
  readonly capabilities: Capabilities
  /** The first shared tier's claims. */
  readonly claims?: Claims
  readonly #tiers: readonly Tier[]
  readonly #host: StackHost
  readonly #listeners = new Set<(change: StackChange) => void>()
  readonly #background = new Set<Promise<unknown>>()
  /** The last set of each key that is on its way into the lower tiers. */
  readonly #setting = new Map<string, Entry>()
  readonly #stopPolling: (() => void)[] = []
  #isClosing = false

  /** `tiers` are guarded already, but for a first one in memory. */
  constructor(tiers: readonly Tier[], host: StackHost) {
    this.#tiers = tiers
    this.#host = host
    this.capabilities = {
      persistent: tiers.some((tier) => tier.capabilities.persistent),
      shared: tiers.some((tier) => tier.capabilities.shared),
      sync: tiers.every((tier) => tier.capabilities.sync),
    }
    const claims = tiers.find((tier) => tier.claims)?.claims
    if (claims) this.claims = claims
    tiers.forEach((tier, i) => {
      tier.feed?.listen((changed) => this.#changedElsewhere(i, changed))
      if (tier.feed) this.#stopPolling.push(tier.feed.poll())
    })
  }

  get tiers(): readonly Tier[] {
    return this.#tiers
  }

  /** The short way to fresh values, when the first tier has one. */
  frontOf(name: string): Front | undefined {
    return this.#tiers[0]?.front?.(name)
  }

  /** Tells of every change, once it is done in all tiers. */
  onChange(listener: (change: StackChange) => void): void {
    this.#listeners.add(listener)
  }

  /** Looks for other processes' changes now; their entries are gone from the tiers above when it is done. */
  check(): MaybePromise<void> {
    let last: MaybePromise<void> = undefined
    for (const tier of this.#tiers) {
      const done = tier.feed?.check()
      if (isPromise(done)) last = isPromise(last) ? last.then(() => done) : done
    }
    return last
  }

  get(key: Key): MaybePromise<Entry | undefined> {
    const found = this.read(key, () => true)
    return isPromise(found) ? found.then((it) => it?.entry) : found?.entry
  }

  /**
   * The first entry the reader accepts, copied into the tiers above it with the same times; else the one loaded last of
   * those that were there. A copy is stored under leases taken before the lower tier was read, so it never brings back
   * what was removed meanwhile (contract C1, `promotion-never-resurrects`).
   */
  read(key: Key, accepts: (entry: Entry) => boolean): MaybePromise<Found | undefined> {
    return this.#readFrom(0, key, accepts, [], undefined)
  }

  lease(): MaybePromise<Lease> {
    const leases = this.#tiers.map((tier) => tier.lease())
    return leases.some((lease) => isPromise(lease)) ? Promise.all(leases) : (leases as Lease[])
  }

  /** Of a load that ended its own era: `before` was taken before the load, `after` when the era was over. */
  eraLease(before: Lease, after: Lease): Lease {
    const [ats, eraAts] = [before as readonly (number | EraLease)[], after as readonly number[]]
    return ats.map((lease, i) => {
      const at = typeof lease === 'number' ? lease : lease.at
      const eraAt = eraAts[i] as number
      // A tier that could not be asked for a lease gets none.
      return Number.isNaN(at) || Number.isNaN(eraAt) ? Number.NaN : { at, eraAt }
    })
  }

  /**
   * Without a lease: an explicit set into every tier. With one: from the bottom up, so that no tier holds what a lower
   * one refused. Errors: `invalid-value`, for a set only.
   */
  put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
    return lease === undefined
      ? this.#set(entry)
      : this.#store(entry, lease as readonly Lease[], this.#tiers.length - 1)
  }

  /**
   * From the bottom up: whoever copied an entry upward before finds its lease broken, or its copy removed. Errors: `closed`,
   * as tiers that are closed would do nothing, and nobody would know.
   */
  remove(selector: Selector, staleAt?: number): Promise<number> {
    return this.#keep(this.#removeFromAll(selector, staleAt))
  }

  async #removeFromAll(selector: Selector, staleAt: number | undefined): Promise<number> {
    if (this.#isClosing) throw new TidemarkError('closed', 'The cache was closed.')
    let most = 0
    for (const tier of this.#tiers.toReversed()) most = Math.max(most, await tier.remove(selector, staleAt))
    this.#tell({ selector })
    return most
  }

  /** Each entry once, from the highest tier that has it. */
  async *keys(selector: Selector): AsyncIterable<KeyInfo & { readonly tier: string }> {
    const seen = new Set<string>()
    for (const [i, tier] of this.#tiers.entries()) {
      const isLast = i === this.#tiers.length - 1
      for await (const info of tier.keys(selector)) {
        const id = `${info.key.name}\0${info.key.id}`
        if (seen.has(id)) continue
        if (!isLast) seen.add(id)
        yield { ...info, tier: tier.name }
      }
    }
  }

  async count(selector: Selector): Promise<number> {
    let most = 0
    for (const tier of this.#tiers) most = Math.max(most, await tier.count(selector))
    return most
  }

  async sweep(now: number, limit: number): Promise<number> {
    let dropped = 0
    for (const tier of this.#tiers) dropped += await tier.sweep(now, limit)
    return dropped
  }

  /** Lets sets, removals, and copies on their way, finish, then closes every tier. */
  async close(): Promise<void> {
    this.#isClosing = true
    for (const stop of this.#stopPolling) stop()
    await Promise.allSettled(this.#background)
    for (const tier of this.#tiers) await tier.close()
  }

  #readFrom(
    start: number,
    key: Key,
    accepts: (entry: Entry) => boolean,
    leases: MaybePromise<Lease>[],
    best: Found | undefined,
  ): MaybePromise<Found | undefined> {
    let newest = best
    for (let i = start; i < this.#tiers.length; i++) {
      const tier = this.#tiers[i] as Tier
      const answer = tier.get(key)
      if (isPromise(answer)) {
        return answer.then((entry) => {
          const found = this.#weigh(entry, i, accepts, leases, newest)
          if (found?.isAccepted) return found
          if (i < this.#tiers.length - 1) leases.push(tier.lease())
          return this.#readFrom(i + 1, key, accepts, leases, found)
        })
      }
      newest = this.#weigh(answer, i, accepts, leases, newest)
      if (newest?.isAccepted) return newest
      // Before the next tier is read: what is removed from here on must not come back by a copy.
      if (i < this.#tiers.length - 1) leases.push(tier.lease())
    }
    return newest
  }

  /** The answer if it is accepted, and then copied upward; else what is the newest by now. */
  #weigh(
    answer: Entry | undefined,
    index: number,
    accepts: (entry: Entry) => boolean,
    leases: readonly MaybePromise<Lease>[],
    best: Found | undefined,
  ): Found | undefined {
    const tier = (this.#tiers[index] as Tier).name
    const entry = index === 0 ? answer : answer && this.#host.admit(answer, tier)
    if (entry === undefined) return best
    if (accepts(entry)) {
      if (index > 0) void this.#keep(promote(entry, this.#tiers, index, leases))
      return { entry, tier, isAccepted: true }
    }
    return best === undefined || entry.loadedAt > best.entry.loadedAt ? { entry, tier, isAccepted: false } : best
  }

  #set(entry: Entry): MaybePromise<boolean> {
    // All tiers take it in the same turn, so that two sets end in the same order everywhere. The lower ones first: they
    // refuse a value that cannot be stored before any tier holds it.
    const pending: Promise<boolean>[] = []
    for (let i = this.#tiers.length - 1; i >= 0; i--) {
      const put = (this.#tiers[i] as Tier).put(entry)
      if (isPromise(put)) pending.push(put)
    }
    // Loads that began before bring what was set over; who comes now finds the new value in the first tier.
    this.#tell({ selector: { kind: 'key', key: entry.key } })
    if (pending.length === 0) return true
    const id = `${entry.key.name}\0${entry.key.id}`
    this.#setting.set(id, entry)
    const done = pending.length === 1 ? (pending[0] as Promise<boolean>) : Promise.all(pending).then(() => true)
    return this.#keep(done.finally(() => this.#settled(id, entry)))
  }

  /**
   * Until the lower tiers had the entry, a read that no longer found it above may have copied an older one upward: that goes.
   * Only after the last of several sets of a key; the others are older themselves.
   */
  #settled(id: string, entry: Entry): void {
    if (this.#setting.get(id) !== entry) return
    this.#setting.delete(id)
    for (const tier of this.#tiers) tier.settled?.(entry)
  }

  #store(entry: Entry, leases: readonly Lease[], from: number): MaybePromise<boolean> {
    for (let i = from; i >= 0; i--) {
      const tier = this.#tiers[i] as Tier
      const stored = this.#storeIn(tier, entry, leases[i] as Lease)
      if (isPromise(stored)) return stored.then((it) => (it ? this.#store(entry, leases, i - 1) : false))
      if (!stored) return false
    }
    return true
  }

  /** What a tier cannot store stays in the tiers above; the caller has its value either way. */
  #storeIn(tier: Tier, entry: Entry, lease: Lease): MaybePromise<boolean> {
    const unstorable = async (error: unknown): Promise<boolean> => {
      if (!isTidemarkError(error, 'invalid-value')) throw error
      this.#host.unstorable(entry.key, tier.name, error.message)
      // The older value may not stay in its place.
      await tier.remove({ kind: 'key', key: entry.key })
      return true
    }
    try {
      const stored = tier.put(entry, lease)
      return isPromise(stored) ? stored.catch(unstorable) : stored
    } catch (error) {
      return unstorable(error)
    }
  }

  #keep<T extends MaybePromise<unknown>>(work: T): T {
    if (!isPromise(work)) return work
    this.#background.add(work)
    void work.finally(() => this.#background.delete(work)).catch(() => {})
    return work
  }

  #changedElsewhere(index: number, changed: ChangedSlots): void {
    for (const tier of this.#tiers.slice(0, index)) tier.forget?.(changed)
    this.#tell({ slots: changed })
  }

  #tell(change: StackChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}
