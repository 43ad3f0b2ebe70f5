import { isPromise, type Lease, type Tier } from '../tier/tier.ts'

/** The lease of a tier that could not be asked for one: nothing loaded under it is stored there. */
export const NO_LEASE: Lease = Number.NaN

/** The lease a set is journaled with: nothing another process changed after it may be replaced by the set. */
export class LastLease {
  readonly #tier: Tier
  #last: Lease = NO_LEASE

  constructor(tier: Tier) {
    this.#tier = tier
  }

  /**
   * Of this moment, or else the last one there was: one that comes later may be from after what others have changed
   * since. An early one breaks more often, which costs a load.
   */
  now(): Lease {
    try {
      const lease = this.#tier.lease()
      if (!isPromise(lease)) return lease
      lease.catch(() => {})
    } catch {
      // It is as good as one that comes too late.
    }
    return this.#last
  }

  /** One the tier gave. */
  given(lease: Lease): Lease {
    if (!Number.isNaN(lease)) this.#last = lease
    return lease
  }

  /** A change of our own was made: it would break any lease from before it. */
  changed(): void {
    const { shared, sync } = this.#tier.capabilities
    if (shared && !sync) this.#last = this.now()
  }
}
