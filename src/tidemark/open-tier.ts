import { Guard } from '../stack/guard.ts'
import type { TierStatus } from '../stack/status.ts'
import type { GuardSettings } from '../stack/watch.ts'
import type { Tier } from '../tier/tier.ts'
import type { Reporter } from './reporter.ts'

/** A tier of a cache, and what stands around it. */
export interface OpenTier {
  readonly tier: Tier
  readonly guard: Guard | undefined
}

/** Attaches a tier; a first one in memory needs no guard. Errors: `tier-foreign`, `tier-newer`, `tier-unavailable`. */
export function openTier(tier: Tier, guard: GuardSettings, isFirst: boolean, reporter: Reporter): OpenTier {
  if (!isFirst || !tier.front || guard.disabled) return { tier, guard: new Guard(tier, guard, reporter) }
  tier.attach?.(reporter)
  return { tier, guard: undefined }
}

/** Lets go of a tier of a cache that could not be made. */
export async function closeQuietly(tier: Tier): Promise<void> {
  try {
    await tier.close()
  } catch {
    // The error that is thrown says what is wrong.
  }
}

/** The status of a tier without a guard: one in memory has nothing that could fail. */
export function calmStatus(tier: Tier): TierStatus {
  return {
    tier: tier.name,
    state: 'up',
    reason: '',
    nextProbeAt: undefined,
    failures: { reads: 0, writes: 0 },
    journal: { items: 0, bytes: 0, overflowed: false },
    capabilities: tier.capabilities,
  }
}
