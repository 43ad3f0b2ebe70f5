import { systemClock, type Clock } from '../clock.ts'
import type { HandoutMode } from '../codec/handout.ts'
import { durationMs, type Duration } from '../duration.ts'
import { TidemarkError, invalidOption, refuseUnknown } from '../errors.ts'
import { Keyring } from '../seal/keyring.ts'
import { DEFAULT_JOURNAL_BYTES, DEFAULT_JOURNAL_ITEMS } from '../stack/journal.ts'
import type { GuardSettings } from '../stack/watch.ts'
import { memory } from '../tier/memory/memory.ts'
import { sqlite } from '../tier/sqlite/sqlite.ts'
import type { Tier } from '../tier/tier.ts'

/** A tier with settings of its own. */
export interface TierOptions {
  readonly tier: Tier
  /** `false`: off, whatever happens; never read, written or brought back. Defaults to `true`. */
  readonly enabled?: boolean | undefined
  /**
   * A read that takes longer is a miss, a write that takes longer is journaled. Defaults to 100 ms; to 5 s for a tier of
   * this machine, which can only be slow where it reads large values from files.
   */
  readonly budget?: Duration | undefined
  /** So many failures in a row take the tier out of use until a probe succeeds. Defaults to 3. */
  readonly failureThreshold?: number | undefined
}

/** Options of {@link createTidemark}. */
export interface TidemarkOptions {
  /** The tiers, fastest first. Defaults to `[memory(), sqlite()]`, which keeps its file at `.tidemark/cache.db`. */
  readonly tiers?: readonly (Tier | TierOptions)[] | undefined
  /**
   * How soon a change made by another process is seen: `eventual` (default): within 50 ms on one machine;
   * `strict`: by every read that begins after the change resolved, at the price of a look on each read.
   */
  readonly coherence?: 'eventual' | 'strict' | undefined
  /** Deep-freezes values, so that a caller's mutation throws instead of poisoning the cache. Defaults to `NODE_ENV !== 'production'`. */
  readonly freeze?: boolean | undefined
  /** `clone`: everyone gets a copy of their own, at the price of copying on every read. Defaults to none. */
  readonly isolate?: 'clone' | undefined
  /** The keys that `secrets` are sealed under, from `tidemark/seal`. Needed where a construct declares some. Defaults to none. */
  readonly keyring?: Keyring | undefined
  /** Where time comes from. Defaults to the process's own; tests pass `FakeClock` from `tidemark/testing`. */
  readonly clock?: Clock | undefined
}

/** The options, checked and completed. */
export interface TidemarkSettings {
  readonly tiers: readonly { readonly tier: Tier; readonly guard: GuardSettings }[]
  readonly isStrict: boolean
  readonly handout: HandoutMode
  readonly keyring: Keyring | undefined
  readonly clock: Clock
}

/** What one operation of a tier that is reached over a network may take. */
export const DEFAULT_TIER_BUDGET_MS = 100
/** What one operation of a tier on this machine may take. */
export const DEFAULT_LOCAL_BUDGET_MS = 5000
const DEFAULT_FAILURE_THRESHOLD = 3
const GUARD_DEFAULTS = { successThreshold: 2, probeBaseMs: 500, probeMaxMs: 30_000 } as const

/** Errors: `invalid-option`, `unknown-option`, `invalid-duration`. */
export function resolveTidemark(options: TidemarkOptions): TidemarkSettings {
  refuseUnknown('createTidemark()', options, ['tiers', 'coherence', 'freeze', 'isolate', 'keyring', 'clock'])
  const {
    coherence = 'eventual',
    isolate,
    freeze = process.env['NODE_ENV'] !== 'production',
    keyring,
    clock = systemClock,
  } = options
  if (coherence !== 'eventual' && coherence !== 'strict')
    throw invalidOption('coherence', "'eventual' or 'strict'", coherence)
  if (isolate !== undefined && isolate !== 'clone') throw invalidOption('isolate', "'clone'", isolate)
  if (typeof freeze !== 'boolean') throw invalidOption('freeze', 'true or false', freeze)
  // Without what came: it may be a key.
  if (keyring !== undefined && !(keyring instanceof Keyring))
    throw new TidemarkError('invalid-option', 'Expected `keyring` to be made by keyring() of tidemark/seal.')
  if (!(['now', 'coarse', 'schedule'] as const).every((method) => typeof clock?.[method] === 'function'))
    throw invalidOption('clock', 'a clock with now(), coarse() and schedule()', clock)
  const tiers = options.tiers ?? [memory(), sqlite()]
  if (!Array.isArray(tiers) || tiers.length === 0) throw invalidOption('tiers', 'an array of at least one tier', tiers)
  const resolved = tiers.map((tier: Tier | TierOptions, i) => resolveTier(tier, `tiers[${i}]`))
  if (new Set(resolved.map(({ tier }) => tier)).size < tiers.length)
    throw invalidOption('tiers', 'different tiers', 'the same tier twice')
  const handout = isolate ?? (freeze ? 'freeze' : 'share')
  return { tiers: resolved, isStrict: coherence === 'strict', handout, keyring, clock }
}

function resolveTier(given: Tier | TierOptions, option: string): { tier: Tier; guard: GuardSettings } {
  const options: TierOptions = isTier(given) ? { tier: given } : given
  if (!isTier(options?.tier))
    throw invalidOption(option, 'a tier such as memory() or sqlite(), or { tier, … }', options)
  if (!isTier(given)) refuseUnknown(option, given, ['tier', 'enabled', 'budget', 'failureThreshold'])
  const { enabled = true, failureThreshold = DEFAULT_FAILURE_THRESHOLD } = options
  const isLocal = options.tier.capabilities.sync
  const { budget = isLocal ? DEFAULT_LOCAL_BUDGET_MS : DEFAULT_TIER_BUDGET_MS } = options
  if (typeof enabled !== 'boolean') throw invalidOption(`${option}.enabled`, 'true or false', enabled)
  if (!Number.isInteger(failureThreshold) || failureThreshold < 1) {
    throw invalidOption(`${option}.failureThreshold`, 'a whole number from 1', failureThreshold)
  }
  const guard: GuardSettings = {
    ...GUARD_DEFAULTS,
    failureThreshold,
    budgetMs: durationMs(budget, `${option}.budget`),
    journal: { maxItems: DEFAULT_JOURNAL_ITEMS, maxBytes: DEFAULT_JOURNAL_BYTES },
    disabled: !enabled,
  }
  return { tier: options.tier, guard }
}

function isTier(value: unknown): value is Tier {
  return typeof value === 'object' && value !== null && 'capabilities' in value && 'get' in value && 'put' in value
}
