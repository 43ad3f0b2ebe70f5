import type { KeyInfo } from '../entry.ts'
import type { Key } from '../key.ts'
import type { MaybePromise } from '../tier/tier.ts'
import type { Resealed, SealedTier } from './sealed-tier.ts'

/** What a rekey did. It left nothing undone when `unknown`, `damaged` and `failed` are 0. */
export interface RekeyReport {
  /** Sealed under a previous key before, under the active one now. */
  readonly resealed: number
  /** Removed: a declared secret lay there in the clear. */
  readonly removed: number
  /** Left alone: sealed under a key that is not in the keyring. */
  readonly unknown: number
  /** Left alone: what is there does not open. */
  readonly damaged: number
  /** Left as they were: the tier failed, or something changed each time. Call again. */
  readonly failed: number
}

/** What a rekey needs of the cache around it. */
export interface RekeyHost {
  /** After each slice. */
  progress(tier: string, done: number, total: number): void
  /** The promise, as long as it is kept in reasonable time: no guard stands before these tiers. */
  bounded<T>(work: MaybePromise<T>, what: string): MaybePromise<T>
  /** Throws when the cache was closed. */
  refuseIfClosed(): void
}

const ALL = { kind: 'all' } as const
const SLICE = 100
/** What changes while it is looked at is looked at again. */
const PASSES = 5

/** See {@link rekeyTier}, for several tiers one after the other. */
export async function rekeyTiers(tiers: readonly SealedTier[], host: RekeyHost): Promise<RekeyReport> {
  const reports: RekeyReport[] = []
  for (const tier of tiers) reports.push(await rekeyTier(tier, host))
  const sum = (of: keyof RekeyReport): number => reports.reduce((total, report) => total + report[of], 0)
  return {
    resealed: sum('resealed'),
    removed: sum('removed'),
    unknown: sum('unknown'),
    damaged: sum('damaged'),
    failed: sum('failed'),
  }
}

/**
 * Seals everything in a tier that is under a previous key under the active one, a slice at a time. Each entry is replaced in
 * one step, so it may be killed and called again, in several processes at once. Rejects with the tier's error when it cannot
 * be walked.
 */
async function rekeyTier(tier: SealedTier, host: RekeyHost): Promise<RekeyReport> {
  let [resealed, removed] = [0, 0]
  for (let pass = 1; ; pass++) {
    const counts = await rekeyOnce(tier, host)
    resealed += counts.resealed
    removed += counts.removed
    const failed = counts.failed + counts.refused
    // A walk may miss what moves while it goes on; the last one finds nothing to do.
    if (counts.resealed + counts.removed + failed > 0 && pass < PASSES) continue
    return { resealed, removed, unknown: counts['unknown-key'], damaged: counts.damaged, failed }
  }
}

type Counts = Record<Resealed, number>

async function rekeyOnce(tier: SealedTier, host: RekeyHost): Promise<Counts> {
  const counts: Counts = {
    current: 0,
    resealed: 0,
    refused: 0,
    gone: 0,
    removed: 0,
    'unknown-key': 0,
    damaged: 0,
    failed: 0,
  }
  const total = await host.bounded(tier.count(ALL), `${tier.name} count`)
  const keys = tier.keys(ALL)[Symbol.asyncIterator]()
  for (let done = 0; ;) {
    host.refuseIfClosed()
    // The next keys are asked for when those before are done: a walk must not run ahead of what it is for.
    const slice = await host.bounded(nextOf(keys), `${tier.name} keys`)
    if (slice.length === 0) return counts
    for (const outcome of await host.bounded(rekeySlice(tier, slice), `${tier.name} rekey`)) counts[outcome]++
    done += slice.length
    host.progress(tier.name, done, Math.max(done, total))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function nextOf(keys: AsyncIterator<KeyInfo>): Promise<Key[]> {
  const slice: Key[] = []
  while (slice.length < SLICE) {
    const next = await keys.next()
    if (next.done === true) break
    slice.push(next.value.key)
  }
  return slice
}

/** In one turn, so that a tier that commits by turns takes them together. */
async function rekeySlice(tier: SealedTier, keys: readonly Key[]): Promise<Resealed[]> {
  const lease = await tier.lease()
  return Promise.all(keys.map((key) => tier.reseal(key, lease)))
}
