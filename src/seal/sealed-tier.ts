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
  type TierHost,
  type TierReport,
} from '../tier/tier.ts'
import type { Sealer } from './sealer.ts'
import { Unopened } from './unopened.ts'

/** What became of one entry that was to be sealed under the active key. */
export type Resealed = 'current' | 'resealed' | 'refused' | 'gone' | 'removed' | 'unknown-key' | 'damaged' | 'failed'

/**
 * A tier around a tier whose entries leave the process: what it gets has its secrets sealed, what it gives has them opened.
 * What does not open is a miss and is told; it is no failure of the tier, and it stays where it is: the key may come.
 */
export class SealedTier implements Tier {
  readonly name: string
  readonly capabilities: Capabilities
  readonly feed?: ChangeFeed
  readonly claims?: Claims
  readonly storeId?: () => string | undefined
  readonly getMany?: (keys: readonly Key[]) => MaybePromise<(Entry | undefined)[]>
  readonly #tier: Tier
  readonly #sealer: Sealer
  readonly #purpose: string
  #report: (news: TierReport) => void = () => {}

  constructor(tier: Tier, sealer: Sealer) {
    this.name = tier.name
    this.capabilities = tier.capabilities
    this.#tier = tier
    this.#sealer = sealer
    this.#purpose = sealPurpose(tier)
    if (tier.feed) this.feed = tier.feed
    if (tier.claims) this.claims = tier.claims
    if (tier.storeId) this.storeId = () => tier.storeId?.()
    if (tier.getMany) this.getMany = (keys) => this.#openAll(tier.getMany?.(keys) ?? [])
  }

  attach(host: TierHost): void {
    this.#report = (news) => host.report(news)
    this.#tier.attach?.(host)
  }

  get(key: Key): MaybePromise<Entry | undefined> {
    const found = this.#tier.get(key)
    return isPromise(found) ? found.then((entry) => this.#open(entry)) : this.#open(found)
  }

  lease(): MaybePromise<Lease> {
    return this.#tier.lease()
  }

  put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
    let sealed: Entry
    try {
      sealed = this.#sealer.seal(entry, this.#purpose, this.capabilities.compression)
    } catch (error) {
      if (!isTidemarkError(error, 'seal-exhausted')) throw error
      return this.#skip(entry.key, error.message)
    }
    return this.#tier.put(sealed, lease)
  }

  remove(selector: Selector, staleAt?: number): MaybePromise<number> {
    return this.#tier.remove(selector, staleAt)
  }

  keys(selector: Selector): AsyncIterable<KeyInfo> {
    return this.#tier.keys(selector)
  }

  count(selector: Selector): MaybePromise<number> {
    return this.#tier.count(selector)
  }

  sweep(now: number, limit: number): MaybePromise<number> {
    return this.#tier.sweep(now, limit)
  }

  close(): MaybePromise<void> {
    return this.#tier.close()
  }

  forget(changed: ChangedSlots): void {
    this.#tier.forget?.(changed)
  }

  /**
   * Seals one entry under the active key, unless it is; under a lease from before, so that what was set or removed meanwhile
   * stays as it is. A secret that lies in the clear is removed.
   */
  async reseal(key: Key, lease: Lease): Promise<Resealed> {
    try {
      return await this.#reseal(key, lease)
    } catch (error) {
      this.#report({ kind: 'failed', operation: 'rekey', error })
      return 'failed'
    }
  }

  async #reseal(key: Key, lease: Lease): Promise<Resealed> {
    const entry = await this.#tier.get(key)
    if (!entry) return 'gone'
    const resealed = this.#sealer.reseal(entry, this.#purpose, this.capabilities.compression)
    if (resealed === entry) return 'current'
    if (!(resealed instanceof Unopened)) return (await this.#tier.put(resealed, lease)) ? 'resealed' : 'refused'
    if (resealed.reason !== 'clear') return resealed.reason === 'unknown-key' ? 'unknown-key' : 'damaged'
    await this.#tier.remove({ kind: 'key', key })
    return 'removed'
  }

  #open(entry: Entry | undefined): Entry | undefined {
    if (entry === undefined) return undefined
    const opened = this.#sealer.open(entry, this.#purpose)
    if (!(opened instanceof Unopened)) return opened
    this.#report({ kind: 'unopened', key: entry.key, reason: opened.reason, error: opened.error })
    return undefined
  }

  #openAll(found: MaybePromise<(Entry | undefined)[]>): MaybePromise<(Entry | undefined)[]> {
    const open = (entries: (Entry | undefined)[]): (Entry | undefined)[] => entries.map((entry) => this.#open(entry))
    return isPromise(found) ? found.then(open) : open(found)
  }

  /** As with a value that is too large: it stays in memory, and the older one may not stay in its place. */
  async #skip(key: Key, message: string): Promise<boolean> {
    await this.#tier.remove({ kind: 'key', key })
    this.#report({ kind: 'skipped', key, why: 'not-sealed', message })
    return true
  }
}

/** What the entries of a tier are sealed for: they open in no tier of another name. */
export function sealPurpose(tier: Pick<Tier, 'name'>): string {
  return `tier/${tier.name}`
}

/** A tier as it may be used: with its entries sealed where they leave the process. */
export function sealedIfExposed(tier: Tier, sealer: Sealer): Tier {
  const { persistent, shared } = tier.capabilities
  return persistent || shared ? new SealedTier(tier, sealer) : tier
}
