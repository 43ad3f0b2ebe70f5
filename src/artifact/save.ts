import { identityConflicts, mergeIdentity, type Identity } from '../entry.ts'
import { TidemarkError, describe } from '../errors.ts'
import type { ArtifactName, Catalog } from './catalog.ts'
import { collectUntil } from './collect.ts'
import { encodeContainer, newer, type ContainerHeader } from './container.ts'
import { sha256 } from './hash.ts'
import { isIdentity, jsonCopy } from './json.ts'
import { framesOf, make, payloadOf, type Made } from './made.ts'
import { FRAMES_SUFFIX, SIDECAR_SUFFIX, checkName } from './name.ts'
import type { ArtifactSettings } from './options.ts'
import { checkMetadata, encodeSidecar, type ArtifactInfo } from './sidecar.ts'
import type { Store } from './store.ts'

/** What became of a save. */
export interface SavedArtifact {
  readonly folder: string
  readonly filename: string
  /** Bytes. */
  readonly filesize: number
  readonly sourceFilename: string
  /** Of the file, hex. */
  readonly sha256: string
  /** `unchanged`: all of it was there already; `replaced`: the same thing was there with other frames or metadata. */
  readonly outcome: 'written' | 'replaced' | 'unchanged'
}

const METADATA_BYTES_MAX = 256 * 1024
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})?$/

/** One artifact as it is to be stored. */
interface Draft {
  readonly header: ContainerHeader
  readonly payload: Uint8Array
  readonly made: Made
}

/** Stores an artifact: the file, its frames, its sidecar, all or none. Errors: see `Artifacts.save`. */
export async function saveArtifact<E, F>(
  store: Store,
  settings: ArtifactSettings<E, F>,
  event: E,
  frames: readonly F[],
): Promise<SavedArtifact> {
  const name = nameOf(settings, event)
  try {
    const draft = await draftOf(settings, name, event, frames)
    const saved = await store.locked((catalog) => settle(store, settings, catalog, draft))
    store.report.saved(name, saved.outcome, saved.filesize)
    return saved
  } catch (error) {
    store.report.failed(name, error)
    throw error
  }
}

function nameOf<E, F>(settings: ArtifactSettings<E, F>, event: E): ArtifactName {
  return {
    folder: checkName('folder', settings.folder(event)),
    filename: checkName('filename', settings.filename(event)),
  }
}

/** Everything that can be told before anything is locked or written. */
async function draftOf<E, F>(
  settings: ArtifactSettings<E, F>,
  name: ArtifactName,
  event: E,
  frames: readonly F[],
): Promise<Draft> {
  const payload = payloadOf(settings, name, frames)
  const time = settings.time(event)
  if (typeof time !== 'string' || !TIME.test(time)) throw invalid('time', 'an ISO 8601 date and time', time)
  const metadata = jsonCopy(settings.metadata(event, frames), 'metadata', METADATA_BYTES_MAX)
  checkMetadata(metadata)
  const identity = settings.identity ? identityOf(settings.identity(event)) : [(await sha256(payload)).toString('hex')]
  // Made of the frames as they come back from their codec: what is made again later cannot differ.
  const back = framesOf(settings, name, { payload, sourceVersion: settings.source.version })
  const made = await make(settings, back, { ...name, time, metadata })
  return { header: { ...name, identity, time, metadata }, payload, made }
}

/** Compares with what is there and writes what is new. The writer lock is held. */
async function settle<E, F>(
  store: Store,
  settings: ArtifactSettings<E, F>,
  catalog: Catalog,
  draft: Draft,
): Promise<SavedArtifact> {
  const { made } = draft
  const stored = await store.info(draft.header)
  const [frames, file] = await Promise.all([store.framesFile(draft.header), store.file(draft.header)])
  await refuseOther(store, catalog, draft, stored, file)
  const header = { ...draft.header, identity: mergeIdentity(stored?.identity, draft.header.identity) ?? [] }
  const container = await encodeContainer(header, settings.source.version, draft.payload)
  const hasSameFrames = frames?.equals(container) === true
  const isSame = (stored && hasSameFrames && file?.equals(made.bytes)) === true
  const isNewer = stored !== undefined && stored.encoderVersion > settings.encoderVersion
  const saved = {
    folder: header.folder,
    filename: header.filename,
    sourceFilename: `${header.filename}${FRAMES_SUFFIX}`,
  }
  if (stored && hasSameFrames && (isNewer || (isSame && stored.encoderVersion === settings.encoderVersion)))
    return { ...saved, filesize: stored.size, sha256: stored.sha256, outcome: 'unchanged' }
  const where = `${header.folder}/${header.filename}${SIDECAR_SUFFIX}`
  if (isNewer) throw newer(where, `encoder ${stored.encoderVersion}`)
  if (stored && stored.source.version > settings.source.version)
    throw newer(where, `version ${stored.source.version} of its frames`)
  const now = store.clock.now()
  const info: ArtifactInfo = {
    ...header,
    size: made.bytes.byteLength,
    sha256: made.sha256,
    encoderVersion: settings.encoderVersion,
    encodedAt: now,
    capturedAt: stored?.capturedAt ?? now,
    tool: settings.tool,
    source: {
      filename: saved.sourceFilename,
      size: container.byteLength,
      sha256: container.subarray(-32).toString('hex'),
      version: settings.source.version,
    },
    review: stored?.review ?? {},
    extensions: stored?.extensions ?? {},
  }
  // Before anything has to go for it: it may be refused.
  const sidecar = encodeSidecar(info)
  await makeRoom(store, settings, catalog, info, stored)
  await store.change(catalog, info, { sidecar, file: made.bytes, frames: container })
  return { ...saved, filesize: info.size, sha256: info.sha256, outcome: stored ? 'replaced' : 'written' }
}

/** Another thing under the same name, however it is spelled, is never overwritten. Errors: `artifact-conflict`, `artifact-malformed`. */
async function refuseOther(
  store: Store,
  catalog: Catalog,
  { header, made }: Draft,
  stored: ArtifactInfo | undefined,
  file: Buffer | undefined,
): Promise<void> {
  const other = catalog.spelledOtherwise(header)
  if (other) throw conflict(header, `${other.folder}/${other.filename} is spelled like it but for capitals`)
  // Without a sidecar the frames tell whose it is; without both, only the same bytes are the same thing.
  const identity = stored?.identity ?? (await store.container(header))?.header.identity
  if (identity === undefined) {
    if (file && !file.equals(made.bytes)) throw conflict(header, 'a file of unknown origin has the name')
    return
  }
  if (identityConflicts(identity, header.identity))
    throw conflict(header, `${JSON.stringify(identity)} is stored, ${JSON.stringify(header.identity)} came`)
}

async function makeRoom<E, F>(
  store: Store,
  settings: ArtifactSettings<E, F>,
  catalog: Catalog,
  info: ArtifactInfo,
  stored: ArtifactInfo | undefined,
): Promise<void> {
  const { maxBytes, maxFiles, whenFull, keep } = settings.quota
  if (maxBytes === Infinity && maxFiles === Infinity) return
  const moreBytes = info.size + info.source.size - (stored ? stored.size + stored.source.size : 0)
  const moreFiles = stored ? 0 : 1
  const limits = { maxBytes: maxBytes - moreBytes, maxFiles: maxFiles - moreFiles }
  const isOver = ({ files, bytes }: { files: number; bytes: number }): boolean =>
    (bytes > limits.maxBytes && moreBytes > 0) || (files > limits.maxFiles && moreFiles > 0)
  if (isOver(catalog.totals()) && whenFull === 'collect') {
    // What does not fit into an empty store must not empty it in vain.
    const fits = limits.maxBytes >= 0 && limits.maxFiles >= 0
    if (fits) await collectUntil(store, catalog, (totals) => !isOver(totals), { keep, except: info })
  }
  const { files, bytes } = catalog.totals()
  if (!isOver({ files, bytes })) return
  const message = `${info.folder}/${info.filename} needs ${moreBytes} bytes more; ${files} artifacts of ${bytes} bytes are stored, ${maxFiles} of ${maxBytes} may be.`
  throw new TidemarkError('artifact-quota', message, { data: { files, bytes, maxBytes, maxFiles } })
}

function identityOf(identity: unknown): Identity {
  const parts: unknown = Array.isArray(identity) ? identity.map((part: unknown) => part ?? null) : identity
  if (isIdentity(parts)) return parts
  throw invalid('identity', 'an array of texts, numbers, null and undefined', identity)
}

function invalid(option: string, expected: string, got: unknown): TidemarkError {
  return new TidemarkError('invalid-value', `Expected \`${option}\` to return ${expected}, got ${describe(got)}.`, {
    hint: 'Correct the function given as this option.',
    data: { option },
  })
}

function conflict({ folder, filename }: ArtifactName, why: string): TidemarkError {
  return new TidemarkError('artifact-conflict', `${folder}/${filename} is taken: ${why}.`, {
    data: { folder, filename },
  })
}
