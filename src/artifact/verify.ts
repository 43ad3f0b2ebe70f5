import { isTidemarkError, refuseUnknown } from '../errors.ts'
import type { ArtifactName } from './catalog.ts'
import { isMarked } from './change.ts'
import { sha256 } from './hash.ts'
import { FRAMES_SUFFIX, SIDECAR_SUFFIX, checkName, isName } from './name.ts'
import { artifactOf, artifactsIn } from './contents.ts'
import type { Store } from './store.ts'

/** What is verified. */
export interface VerifyOptions {
  /** Only this folder. */
  readonly folder?: string | undefined
}

/** What is wrong with an artifact, or with a file beside it. */
export type ArtifactProblem =
  /** The file is not there, or is not the one that was written. */
  | 'file-missing'
  | 'file-damaged'
  /** There is nothing to make it from again; what is there cannot be read, was written by a newer program, or belongs to another capture. */
  | 'source-missing'
  | 'source-malformed'
  | 'source-newer'
  | 'source-other'
  /** Nothing is known of it; what is there cannot be read, or was written by a newer program. */
  | 'sidecar-missing'
  | 'sidecar-malformed'
  | 'sidecar-newer'
  /** A file without any sidecar; something that is no file of an artifact. */
  | 'orphan'
  | 'foreign'
  /** The index knows too little or too much: `reindex()`. */
  | 'not-indexed'
  | 'indexed-only'

/** One thing that is wrong. */
export interface Finding extends ArtifactName {
  readonly problem: ArtifactProblem
  readonly message: string
}

/** What a verification found. */
export interface VerifyReport {
  /** Artifacts that were looked at. */
  readonly checked: number
  /** Of those, the ones that are whole: file, frames and sidecar. */
  readonly sound: number
  /** Of the sound ones, those of an older encoder: `regenerate` makes them anew. */
  readonly outdated: number
  readonly findings: readonly Finding[]
}

/** The options of `verify`, checked. Errors: `unknown-option`, `artifact-name`. */
export function resolveVerify(options: VerifyOptions): VerifyOptions {
  refuseUnknown('verify()', options, ['folder'])
  if (options.folder !== undefined) checkName('folder', options.folder)
  return options
}

/** Reads every file and compares hashes. Changes nothing. */
export async function verify(store: Store, encoderVersion: number, { folder }: VerifyOptions): Promise<VerifyReport> {
  await store.ready()
  const names = await artifactsIn(store.folders, folder)
  const findings: Finding[] = []
  let [sound, outdated] = [0, 0]
  for (const [i, name] of names.entries()) {
    let found = await examine(store, name, encoderVersion)
    // It may only be changing just now: as the only writer nobody is mistaken.
    if (found.findings.length > 0) found = await store.locked(() => examine(store, name, encoderVersion))
    findings.push(...found.findings)
    if (found.findings.length === 0) sound++
    if (found.findings.length === 0 && found.isOutdated) outdated++
    store.report.progress(name, i + 1, names.length)
  }
  for (const each of folder === undefined ? await store.folders.list() : [folder])
    findings.push(...(await strangers(store, each)))
  return { checked: names.length, sound, outdated, findings }
}

async function examine(
  store: Store,
  name: ArtifactName,
  encoderVersion: number,
): Promise<{ findings: Finding[]; isOutdated: boolean }> {
  const findings: Finding[] = []
  const find = (problem: ArtifactProblem, message: string): void => void findings.push({ ...name, problem, message })
  const reading = async <T>(read: Promise<T>, what: 'sidecar' | 'source'): Promise<T | undefined> => {
    try {
      const value = await read
      if (value === undefined) find(`${what}-missing`, `${name.filename} has no ${what}.`)
      return value
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      find(isTidemarkError(error, 'artifact-newer') ? `${what}-newer` : `${what}-malformed`, message)
      return undefined
    }
  }
  const info = await reading(store.info(name), 'sidecar')
  const container = await reading(store.container(name), 'source')
  const file = await store.file(name).catch(() => undefined)
  if (!file) find('file-missing', `${name.filename} is missing.`)
  else if (info && (await sha256(file)).toString('hex') !== info.sha256)
    find('file-damaged', `${name.filename} is not the file that was written.`)
  if (info && container && info.source.sha256 !== container.sha256)
    find('source-other', `${name.filename}${FRAMES_SUFFIX} is not the source that ${name.filename} was made from.`)
  return { findings, isOutdated: info !== undefined && info.encoderVersion < encoderVersion }
}

/** What lies in a folder and is no part of an artifact, and where the index is wrong. */
async function strangers(store: Store, folder: string): Promise<Finding[]> {
  return store.locked(async (catalog) => {
    const { files, others } = await store.folders.read(folder)
    const hasSidecar = (file: string): boolean =>
      files.has(`${file}${FRAMES_SUFFIX}`) || files.has(`${file}${SIDECAR_SUFFIX}`)
    const indexed = new Set(catalog.names(folder).map(({ filename }) => filename))
    const findings: Finding[] = others.map((filename) => finding(folder, filename, 'foreign'))
    for (const file of files) {
      const own = artifactOf(file) ?? file
      if (!isName(own) || isMarked(file)) findings.push(finding(folder, file, 'foreign'))
      else if (own === file && !hasSidecar(file)) findings.push(finding(folder, file, 'orphan'))
    }
    const stored = [...files]
      .filter((file) => file.endsWith(SIDECAR_SUFFIX))
      .map((file) => file.slice(0, -SIDECAR_SUFFIX.length))
    for (const file of stored)
      if (isName(file) && !indexed.has(file)) findings.push(finding(folder, file, 'not-indexed'))
    for (const file of indexed) if (!stored.includes(file)) findings.push(finding(folder, file, 'indexed-only'))
    return findings
  })
}

const MEANING: Partial<Record<ArtifactProblem, string>> = {
  foreign: 'is no file of an artifact.',
  orphan: 'has no sidecar: nobody knows where it comes from.',
  'not-indexed': 'is not in the index: reindex() puts it there.',
  'indexed-only': 'is in the index only: reindex() removes it there.',
}

function finding(folder: string, filename: string, problem: ArtifactProblem): Finding {
  return { folder, filename, problem, message: `${filename} ${MEANING[problem] ?? ''}` }
}
