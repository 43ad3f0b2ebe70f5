import type { Entry } from '../entry.ts'
import { isPromise, type Lease, type MaybePromise, type Tier } from '../tier/tier.ts'

/**
 * Copies an entry into the first `count` tiers, those above the one it was found in: lowest first, each under its lease
 * from before the read.
 * A tier that refuses ends it: what is above would hold what is below no longer.
 */
export function promote(
  entry: Entry,
  tiers: readonly Tier[],
  count: number,
  leases: readonly MaybePromise<Lease>[],
): MaybePromise<boolean> {
  for (let i = count - 1; i >= 0; i--) {
    const tier = tiers[i] as Tier
    const lease = leases[i] as MaybePromise<Lease>
    const stored = isPromise(lease) ? lease.then((it) => tier.put(entry, it)) : tier.put(entry, lease)
    if (isPromise(stored)) {
      return stored.then((it) => (it ? promote(entry, tiers, i, leases) : false))
    }
    if (!stored) return false
  }
  return true
}
