import type { CheckResult, Clock, Duration } from 'tidemark'
import type { Keyring } from 'tidemark/seal'
import type { ProxyRecord } from '../proxy/record.ts'

/** Options of {@link ProxyPool}. */
export interface PoolOptions {
  /** The folder of its tiers: `segments/` (JSONL) and `proxies.db` (SQLite). */
  readonly dataDir: string
  /** Seals the credentials. Without one the pool is not opened: there is no temporary key. */
  readonly keyring: Keyring
  /** Tries a proxy. */
  readonly check: (proxy: ProxyRecord, signal: AbortSignal) => Promise<CheckResult>
  /** How long proxies of a source count, in seconds. Defaults to for ever. */
  readonly ttlBySource?: Readonly<Record<string, number>> | undefined
  /** From one check of a proxy to the next. Defaults to `'5m'`. */
  readonly every?: Duration | undefined
  /** A check that takes longer has failed. Defaults to `'10s'`. */
  readonly timeout?: Duration | undefined
  readonly clock?: Clock | undefined
}
