import type { ArtifactName, ArtifactRow, Catalog } from './catalog.ts'
import { invalidOption, refuseUnknown } from '../errors.ts'
import { checkLimit, type QuotaSettings } from './options.ts'
import type { ArtifactInfo } from './sidecar.ts'
import type { Store } from './store.ts'

/** What `gc` brings the store down to. */
export interface CollectOptions {
  /** Bytes of artifacts and frames together. Defaults to the quota. */
  readonly maxBytes?: number | undefined
  /** Number of artifacts. Defaults to the quota. */
  readonly maxFiles?: number | undefined
  /** Whatever happened before then, compared with `time` as text. Defaults to nothing. */
  readonly before?: string | undefined
  /** Only says what would be removed. Defaults to `false`. */
  readonly dryRun?: boolean | undefined
}

/** What a collection removed, or would. */
export interface CollectReport {
  readonly dryRun: boolean
  readonly removed: readonly ArtifactName[]
  /** What they took on the disk. */
  readonly bytes: number
  /** Artifacts that had to go and stay because `quota.keep` holds them, or because their sidecar cannot be read. */
  readonly kept: number
}

interface Totals {
  readonly files: number
  readonly bytes: number
}

interface Holding {
  readonly keep: (info: ArtifactInfo) => boolean
  readonly except?: ArtifactName | undefined
  readonly before?: string | undefined
  readonly dryRun?: boolean | undefined
}

/** The options of `gc`, completed. */
interface CollectSettings {
  readonly maxBytes: number
  readonly maxFiles: number
  readonly before: string | undefined
  readonly dryRun: boolean
}

const PAGE = 100

/** The options of `gc`, checked. Errors: `invalid-option`, `unknown-option`. */
export function resolveCollect(options: CollectOptions, quota: QuotaSettings): CollectSettings {
  refuseUnknown('gc()', options, ['maxBytes', 'maxFiles', 'before', 'dryRun'])
  const { maxBytes = quota.maxBytes, maxFiles = quota.maxFiles, before, dryRun = false } = options
  checkLimit('gc.maxBytes', maxBytes)
  checkLimit('gc.maxFiles', maxFiles)
  if (before !== undefined && typeof before !== 'string') throw invalidOption('gc.before', 'a time', before)
  if (typeof dryRun !== 'boolean') throw invalidOption('gc.dryRun', 'true or false', dryRun)
  return { maxBytes, maxFiles, before, dryRun }
}

/**
 * Removes the oldest artifacts until `isEnough`, and all that are older than `before`; those that `keep` holds stay. The
 * writer lock is held.
 */
export async function collectUntil(
  store: Store,
  catalog: Catalog,
  isEnough: (totals: Totals) => boolean,
  { keep, except, before, dryRun = false }: Holding,
): Promise<CollectReport> {
  const removed: ArtifactName[] = []
  let [bytes, kept] = [0, 0]
  let left = catalog.totals()
  for (const row of oldestFirst(catalog)) {
    if (isEnough(left) && (before === undefined || row.time >= before)) break
    if (row.folder === except?.folder && row.filename === except.filename) continue
    if (await isKept(store, row, keep)) {
      kept++
      continue
    }
    if (!dryRun) {
      await store.remove(catalog, row)
      store.report.removed(row, 'quota')
    }
    removed.push({ folder: row.folder, filename: row.filename })
    bytes += row.bytes
    left = { files: left.files - 1, bytes: left.bytes - row.bytes }
  }
  return { dryRun, removed, bytes, kept }
}

function* oldestFirst(catalog: Catalog): Iterable<ArtifactRow> {
  let after: ArtifactRow | undefined
  for (;;) {
    const page = catalog.search({
      folder: undefined,
      from: undefined,
      to: undefined,
      order: 'oldest',
      limit: PAGE,
      after,
    })
    yield* page
    if (page.length < PAGE) return
    after = page.at(-1)
  }
}

async function isKept(store: Store, row: ArtifactRow, keep: Holding['keep']): Promise<boolean> {
  try {
    const info = await store.info(row)
    return info !== undefined && keep(info)
  } catch (error) {
    // What cannot be read may have been reviewed.
    store.report.failed(row, error)
    return true
  }
}
