import type { Database } from '@tidemark/database'
import type {
  Clock,
  ReadOptions,
  Tidemark,
  View,
  ViewExplanation,
  ViewReading,
  ViewRevisions,
  WriteHook,
} from 'tidemark'
import { pgListen, pgRevision, type PgListen, type PgRevision } from 'tidemark/postgres'
import { revisionSchema } from '../database/open.ts'
import { CORE_TABLES, ENTRY_TABLES, PROGRESS_TABLES } from '../database/tables.ts'
import { buildCore } from './core.ts'
import { buildProgress } from './progress.ts'
import { contentOf, snapshotOf, type Sections, type Snapshot } from './snapshot.ts'

/** How the summary is kept. */
export interface SummaryOptions {
  /**
   * How a read finds out what has moved. `asked` (default): one question to the database, so that the very next read sees
   * every commit, whoever made it. `announced`: none while the database announces nothing; what other processes commit is
   * seen when its announcement arrives, normally within milliseconds. `watermark`: for databases that may not be altered;
   * may miss deletes and late commits.
   */
  readonly revisions?: 'asked' | 'announced' | 'watermark' | undefined
  /** How long after a change the snapshot from before it may still be handed out, in milliseconds. Defaults to 300 000. */
  readonly maxStaleMs?: number | undefined
  readonly clock?: Clock | undefined
}

const DEFAULT_MAX_STALE_MS = 300_000
/** Raised when the builders make something else of the same data. */
const VERSION = 1

/**
 * The summary of the whole hub in one snapshot, served for as long as the data is unchanged. Two sections: `core`, which is
 * rebuilt behind readers, and `progress`, which is rebuilt alone, while the reader waits.
 */
export class StateSummary implements AsyncDisposable {
  readonly view: View<Sections, Snapshot>
  /** To be told of what was written, after the commit. */
  readonly hook: WriteHook
  readonly #listen: PgListen | undefined

  constructor(tide: Tidemark, database: Database, options: SummaryOptions = {}) {
    const { revisions = 'asked', maxStaleMs = DEFAULT_MAX_STALE_MS, clock } = options
    const { client, schema, listenSource } = database
    this.#listen = revisions === 'announced' ? pgListen(listenSource) : undefined
    const revisionOf = (tables: readonly string[]): PgRevision =>
      revisions === 'watermark'
        ? pgRevision(tables, { client, mode: 'watermark' })
        : pgRevision(tables, { client, schema: revisionSchema(schema), listen: this.#listen })
    const now = (): string => new Date(clock?.now() ?? Date.now()).toISOString()
    this.view = tide.view<Sections, Snapshot>({
      name: 'state-summary',
      version: VERSION,
      maxStale: maxStaleMs,
      sections: {
        core: {
          revision: revisionOf([...CORE_TABLES, ...ENTRY_TABLES]),
          build: ({ signal }) => buildCore(database, now, signal),
        },
        progress: { revision: revisionOf(PROGRESS_TABLES), build: () => buildProgress(database, now) },
      },
      combine: snapshotOf,
      etag: contentOf,
    })
    this.hook = tide.writeHook()
  }

  /** Settles when announcements are listened to, if they are. */
  get ready(): Promise<void> {
    return this.#listen?.ready ?? Promise.resolve()
  }

  /** The fingerprints of the sections, and the combined one, as they are now. Builds nothing. */
  fingerprints(): Promise<ViewRevisions> {
    return this.view.revisions()
  }

  /** The summary, with one of four outcomes: `hit`, `partial`, `stale` or `miss`. */
  resolve(options?: ReadOptions): Promise<ViewReading<Snapshot>> {
    return this.view.read(options)
  }

  /** Says that a part of the data has changed, whatever its fingerprint says. */
  invalidate(section: 'all' | 'core' | 'progress'): Promise<void> {
    return this.view.invalidate(section)
  }

  /** Forgets the snapshot. Who waits for a build still gets it. */
  reset(): Promise<void> {
    return this.view.reset()
  }

  /** Takes sections that were made elsewhere; `fingerprints` are those from before they were read. */
  store(sections: Readonly<Sections>, fingerprints: ViewRevisions): Promise<void> {
    return this.view.store(sections, fingerprints)
  }

  /** What a read would be answered with, and why. Builds nothing. */
  explain(): Promise<ViewExplanation> {
    return this.view.explain()
  }

  /** Why the last build failed; `undefined` once one has succeeded. */
  async lastError(): Promise<unknown> {
    return (await this.view.explain()).lastFailure?.error
  }

  async close(): Promise<void> {
    await this.#listen?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
