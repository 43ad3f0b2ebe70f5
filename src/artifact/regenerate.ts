import { TidemarkError, invalidOption, isTidemarkError, refuseUnknown } from '../errors.ts'
import type { ArtifactName, Catalog } from './catalog.ts'
import { newer, type Container } from './container.ts'
import { damaged } from './file.ts'
import { sha256 } from './hash.ts'
import { framesOf, make } from './made.ts'
import { FRAMES_SUFFIX, SIDECAR_SUFFIX, checkName } from './name.ts'
import { artifactsIn } from './contents.ts'
import type { ArtifactSettings } from './options.ts'
import { ProgressBar, type Terminal } from './progress-bar.ts'
import { encodeSidecar, type ArtifactInfo } from './sidecar.ts'
import type { Store } from './store.ts'

/** What is made anew. */
export interface RegenerateOptions {
  /** Only this folder. */
  readonly folder?: string | undefined
  /** Only this artifact of the folder. */
  readonly filename?: string | undefined
  /** Only says what would be done; encoders run, nothing is written. Defaults to `false`. */
  readonly dryRun?: boolean | undefined
  /** Where a progress bar is drawn if it is a terminal, such as `process.stderr`. Defaults to nowhere. */
  readonly terminal?: Terminal | undefined
}

/** What was made anew, or would be. */
export interface RegenerateReport {
  readonly dryRun: boolean
  /** How many were looked at: those that were written, unchanged, or failed. */
  readonly checked: number
  readonly written: readonly ArtifactName[]
  /** How many were right as they are. */
  readonly unchanged: number
  /** What could not be made; its files were left as they are. */
  readonly failed: readonly (ArtifactName & { readonly code: string; readonly message: string })[]
}

/** The options of `regenerate`, checked. Errors: `invalid-option`, `unknown-option`, `artifact-name`. */
export function resolveRegenerate(options: RegenerateOptions): RegenerateOptions & { readonly dryRun: boolean } {
  refuseUnknown('regenerate()', options, ['folder', 'filename', 'dryRun', 'terminal'])
  const { folder, filename, dryRun = false, terminal } = options
  if (folder !== undefined) checkName('folder', folder)
  if (filename !== undefined) checkName('filename', filename)
  if (filename !== undefined && folder === undefined)
    throw invalidOption('regenerate.folder', 'given with a file name', folder)
  if (typeof dryRun !== 'boolean') throw invalidOption('regenerate.dryRun', 'true or false', dryRun)
  if (terminal !== undefined && typeof terminal?.write !== 'function')
    throw invalidOption('regenerate.terminal', 'a stream such as process.stderr', terminal)
  return { folder, filename, dryRun, terminal }
}

/** Makes anew what is missing, differs from what its sidecar says, or is of an older encoder. One failure stops nothing. */
export async function regenerate<E, F>(
  store: Store,
  settings: ArtifactSettings<E, F>,
  { folder, filename, dryRun, terminal }: RegenerateOptions & { readonly dryRun: boolean },
): Promise<RegenerateReport> {
  await store.ready()
  const names = (await artifactsIn(store.folders, folder)).filter(
    (it) => filename === undefined || it.filename === filename,
  )
  const bar = new ProgressBar(terminal, 'regenerating')
  const written: ArtifactName[] = []
  const failed: RegenerateReport['failed'][number][] = []
  for (const [i, name] of names.entries()) {
    try {
      if (await regenerateOne(store, settings, name, dryRun)) written.push(name)
    } catch (error) {
      if (isTidemarkError(error, 'closed')) throw error
      store.report.failed(name, error)
      failed.push({ ...name, code: codeOf(error), message: error instanceof Error ? error.message : String(error) })
    }
    store.report.progress(name, i + 1, names.length)
    bar.show(i + 1, names.length)
  }
  bar.end()
  const unchanged = names.length - written.length - failed.length
  return { dryRun, checked: names.length, written, unchanged, failed }
}

/** True when it was written, or would be. */
async function regenerateOne<E, F>(
  store: Store,
  settings: ArtifactSettings<E, F>,
  name: ArtifactName,
  dryRun: boolean,
): Promise<boolean> {
  // Most are right as they are: that is found out without keeping writers waiting. What is not, or cannot be told, may
  // only be changing just now, and is looked at again as the only writer.
  const isRight = await sourceOf(store, settings, name).then(
    (source) => source === undefined,
    () => false,
  )
  if (isRight) return false
  return store.locked(async (catalog) => {
    const now = await sourceOf(store, settings, name)
    if (!now) return false
    const { info, bytes, file } = await remake(settings, name, now, store.clock.now())
    if (dryRun) return true
    await write(store, catalog, info, file?.equals(bytes) === true ? undefined : bytes)
    return true
  })
}

interface Source {
  readonly info: ArtifactInfo | undefined
  readonly container: Container
  readonly file: Buffer | undefined
}

/** What it is to be made of; `undefined` when it is right as it is. Errors: why it cannot be made. */
async function sourceOf<E, F>(
  store: Store,
  settings: ArtifactSettings<E, F>,
  name: ArtifactName,
): Promise<Source | undefined> {
  const info = await store.info(name)
  const [container, file] = await Promise.all([store.container(name), store.file(name)])
  const isRight = info !== undefined && file !== undefined && (await sha256(file)).toString('hex') === info.sha256
  if (info && info.encoderVersion > settings.encoderVersion) {
    if (isRight) return undefined
    throw newer(`${name.folder}/${name.filename}${SIDECAR_SUFFIX}`, `encoder ${info.encoderVersion}`)
  }
  if (!container) {
    if (isRight) return undefined
    throw damaged(name, `and its source ${name.filename}${FRAMES_SUFFIX} is missing`)
  }
  const isCurrent = info?.encoderVersion === settings.encoderVersion && info.source.sha256 === container.sha256
  if (isRight && isCurrent) return undefined
  return { info, container, file }
}

async function remake<E, F>(
  settings: ArtifactSettings<E, F>,
  name: ArtifactName,
  { info, container, file }: Source,
  now: number,
): Promise<{ info: ArtifactInfo; bytes: Uint8Array; file: Buffer | undefined }> {
  const { header, sourceVersion, size, sha256: hash } = container
  const { time, metadata } = header
  const made = await make(settings, framesOf(settings, name, container), { ...name, time, metadata })
  const fresh: ArtifactInfo = {
    metadata,
    review: {},
    extensions: {},
    capturedAt: now,
    // What people and other programs wrote into a sidecar that is there stays.
    ...info,
    ...name,
    time,
    identity: header.identity,
    size: made.bytes.byteLength,
    sha256: made.sha256,
    encoderVersion: settings.encoderVersion,
    encodedAt: now,
    tool: settings.tool,
    source: {
      filename: `${name.filename}${FRAMES_SUFFIX}`,
      size,
      sha256: hash,
      version: sourceVersion,
    },
  }
  return { info: fresh, bytes: made.bytes, file }
}

async function write(store: Store, catalog: Catalog, info: ArtifactInfo, file: Uint8Array | undefined): Promise<void> {
  await store.change(catalog, info, { sidecar: encodeSidecar(info), file })
  store.report.saved(info, 'regenerated', info.size)
}

function codeOf(error: unknown): string {
  return error instanceof TidemarkError ? error.code : 'encoder-failed'
}
