// The public surface, by hand. Not exported on purpose: Stack, Guard, Flights and the eviction policies are how it is
// done; tiers are written against the types below. Client libraries live behind subpaths, so this entry loads none.

export { createTidemark, type Tidemark, type TidemarkStats } from './tidemark/tidemark.ts'
export type { TidemarkOptions, TierOptions } from './tidemark/options.ts'
export type { Scope } from './tidemark/scope.ts'
export type { WriteHook, WriteHookOptions } from './tidemark/write-hook.ts'
export type { ExportOptions } from './tidemark/export.ts'
export type { ImportProblem, ImportReport } from './tidemark/import.ts'
export type { LineSource } from './tidemark/lines.ts'
export {
  migrate,
  type MigrateCounts,
  type MigrateOutcome,
  type MigrateProblem,
  type MigrateReport,
} from './tidemark/migrate.ts'
export type { MigrateOptions } from './tidemark/migrate-options.ts'
export type { RekeyReport } from './seal/rekey.ts'

export { memory, type MemoryOptions } from './tier/memory/memory.ts'
export type { EvictionName } from './tier/memory/eviction/eviction.ts'
export { sqlite } from './tier/sqlite/sqlite.ts'
export type { SqliteOptions } from './tier/sqlite/options.ts'
export { jsonl } from './tier/jsonl/jsonl.ts'
export type { JsonlOptions } from './tier/jsonl/options.ts'

export { ttl } from './policy/ttl.ts'
export { sliding } from './policy/sliding.ts'
export { untilInvalidated } from './policy/until-invalidated.ts'
export { immutable } from './policy/immutable.ts'
export { revisioned } from './policy/revisioned.ts'
export type { Policy, WindowOptions } from './policy/policy.ts'
export type { Verdict } from './policy/judge.ts'

export type { ResourceHealth } from './resource/health.ts'
export type { CheckContext, CheckResult, HealthOptions } from './health/options.ts'
export type { CheckEntry } from './health/ledger.ts'
export type { HealthCounts } from './health/pool.ts'
export type { HealthRecord } from './health/state.ts'
export type { Resource, EntryInfo } from './resource/resource.ts'
export type { SetOptions, StoredOptions } from './resource/calls.ts'
export type { ResourceOptions, VersionOf } from './resource/options.ts'
export type { LoadContext, Reading, ReadingReason, ReadingWarning } from './resource/reading.ts'
export type { Explanation, TierExplanation } from './resource/explain.ts'
export type { Collection } from './collection/collection.ts'
export type { CollectionOptions, Probe, RangeContext } from './collection/options.ts'
export type { CollectionReadOptions } from './collection/read-options.ts'
export type { ItemReading, ListReading } from './collection/reading.ts'
export type { Artifacts, ArtifactStats } from './artifact/artifacts.ts'
export type { ArtifactOptions, EncodeContext, QuotaOptions, SourceCodec } from './artifact/options.ts'
export type { Annotation } from './artifact/annotate.ts'
export type { ArtifactName, ArtifactRow } from './artifact/catalog.ts'
export type { CollectOptions, CollectReport } from './artifact/collect.ts'
export type { ArtifactFile, ByteRange } from './artifact/file.ts'
export type { JsonObject } from './artifact/json.ts'
export type { ArtifactPage, ListOptions } from './artifact/list.ts'
export type { Terminal } from './artifact/progress-bar.ts'
export type { RegenerateOptions, RegenerateReport } from './artifact/regenerate.ts'
export type { ArtifactCounts } from './artifact/report.ts'
export type { SavedArtifact } from './artifact/save.ts'
export type { ArtifactInfo } from './artifact/sidecar.ts'
export type { ArtifactProblem, Finding, VerifyOptions, VerifyReport } from './artifact/verify.ts'
export type { Era, CountsByName } from './era/era.ts'
export type { View } from './view/view.ts'
export type { BuildContext, SectionOptions, ViewOptions } from './view/options.ts'
export type { SectionReading, ViewReading, ViewRevisions, ViewStatus } from './view/reading.ts'
export type { SectionExplanation, ViewExplanation } from './view/explain.ts'
export type { Source, SourceStatus } from './source/outage/source.ts'
export type { SourceOptions, WarmUpOptions } from './source/outage/options.ts'
export { isSourceUnavailable } from './source/outage/unavailable.ts'
export { sqliteRevision, type SqliteRevisionOptions } from './source/sqlite/sqlite-revision.ts'
export {
  installSqliteRevisions,
  removeSqliteRevisions,
  renewSqliteRevisions,
  sqliteRevisionsStatus,
  type SqliteRevisionStatus,
} from './source/sqlite/install.ts'
export type { SqliteDatabase } from './source/sqlite/database.ts'
export type { Revision, RevisionAnswer, RevisionBatch, RevisionFunction, RevisionSource } from './revision.ts'
export type { ReadOptions } from './load/read-options.ts'
export type { TimeoutOptions } from './load/timeout.ts'

export { TidemarkError, isTidemarkError, type ErrorCode } from './errors.ts'
export type {
  ArtifactOutcome,
  TidemarkEvent,
  EventListener,
  EvictionCause,
  HealthState,
  TierState,
  RemovedWhat,
  UnopenedReason,
} from './observe/event.ts'
export type { NameStats } from './observe/counters.ts'
export type { TierStatus } from './stack/status.ts'

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
export type { Key, KeyInput, KeyPart, ScopeFilter, Selector } from './key.ts'
export type { Membership } from './slot.ts'
export type { CompressOptions, Compression, CompressionAlgorithm } from './codec/compression.ts'
export { systemClock, type Clock } from './clock.ts'
export type { Duration } from './duration.ts'
