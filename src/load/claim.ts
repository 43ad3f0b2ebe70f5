import type { Clock } from '../clock.ts'
import type { Key } from '../key.ts'
import type { Claims } from '../tier/tier.ts'

/** A claim lasts this long unless its holder renews it; a killed holder is waited for no longer. */
const CLAIM_MS = 5_000
const RENEW_MS = CLAIM_MS / 3
const LOOK_MS_MIN = 5
const LOOK_MS_MAX = 50

/** A claim that is held; release it when the load is stored, or has failed. */
export type HeldClaim = () => void

/** How long a load waits for a claim before it goes ahead without. */
export interface ClaimPatience {
  readonly signal: AbortSignal
  readonly waitMsMax: number
}

/**
 * Waits for the right to load a key among several processes. Resolves to the held claim; or, when another process has
 * brought the value meanwhile, to what `look` found. Real time: this waits for other processes.
 */
export async function claimOr<T>(
  claims: Claims,
  key: Key,
  owner: string,
  clock: Clock,
  patience: ClaimPatience,
  look: () => Promise<T | undefined>,
): Promise<{ held: HeldClaim } | { found: T }> {
  const giveUpAt = performance.now() + patience.waitMsMax
  for (let waitMs = LOOK_MS_MIN; ; waitMs = Math.min(waitMs * 2, LOOK_MS_MAX)) {
    const granted = await claims.acquire(key, owner, clock.now() + CLAIM_MS)
    // Also after it was granted: the value may have come between the reader's miss and the claim.
    const found = await look()
    if (found !== undefined) {
      if (granted) await claims.release(key, owner)
      return { found }
    }
    if (granted) return { held: hold(claims, key, owner, clock) }
    patience.signal.throwIfAborted()
    if (performance.now() >= giveUpAt) return { held: () => {} }
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

/** The claim if it is free now, without waiting; `undefined` when another process has it. */
export async function claimNow(claims: Claims, key: Key, owner: string, clock: Clock): Promise<HeldClaim | undefined> {
  const granted = await claims.acquire(key, owner, clock.now() + CLAIM_MS)
  return granted ? hold(claims, key, owner, clock) : undefined
}

function hold(claims: Claims, key: Key, owner: string, clock: Clock): HeldClaim {
  const renewing = setInterval(() => void claims.acquire(key, owner, clock.now() + CLAIM_MS), RENEW_MS)
  renewing.unref()
  return () => {
    clearInterval(renewing)
    void claims.release(key, owner)
  }
}
