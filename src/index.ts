// The public surface, by hand. Not exported on purpose: Stack, Guard, Flights and the eviction policies are how it is
// done; tiers are written against the types below. Client libraries live behind subpaths, so this entry loads none.

export { createTidemark, type Tidemark, type TidemarkStats } from './tidemark/tidemark.ts'
export type { TidemarkOptions, TierOptions } from './tidemark/options.ts'
export type { Scope } from './tidemark/scope.ts'

export { memory, type MemoryOptions } from './tier/memory/memory.ts'
export type { EvictionName } from './tier/memory/eviction/eviction.ts'
export { sqlite, type SqliteOptions } from './tier/sqlite/sqlite.ts'

export { ttl } from './policy/ttl.ts'
export { sliding } from './policy/sliding.ts'
export { untilInvalidated } from './policy/until-invalidated.ts'
export { immutable } from './policy/immutable.ts'
export type { Policy, WindowOptions } from './policy/policy.ts'
export type { Verdict } from './policy/judge.ts'

export type { Resource, EntryInfo } from './resource/resource.ts'
export type { ResourceOptions } from './resource/options.ts'
export type { LoadContext, ReadOptions, Reading, ReadingReason } from './resource/reading.ts'
export type { Explanation, TierExplanation } from './resource/explain.ts'
export type { Collection, ListOptions } from './collection/collection.ts'
export type { CollectionOptions, Probe, RangeContext } from './collection/options.ts'
export type { ListReading } from './collection/reading.ts'
export type { Era, CountsByName } from './era/era.ts'
export type { TimeoutOptions } from './load/timeout.ts'

export { TidemarkError, isTidemarkError, type ErrorCode } from './errors.ts'
export type { TidemarkEvent, EventListener, EvictionCause, TierState, RemovedWhat } from './observe/event.ts'
export type { NameStats } from './observe/counters.ts'
export type { TierStatus } from './stack/guard.ts'

export type {
  Capabilities,
  ChangeFeed,
  ChangedSlots,
  Claims,
  EraLease,
  Front,
  Lease,
  MaybePromise,
  Tier,
  TierHost,
  TierReport,
} from './tier/tier.ts'
export type { Entry, Identity, KeyInfo, Lifetimes } from './entry.ts'
export type { Key, KeyInput, KeyPart, Selector } from './key.ts'
export type { Membership } from './slot.ts'
export type { Clock } from './clock.ts'
export type { Duration } from './duration.ts'
