// One change of an artifact's files, all or nothing. Only the holder of the writer lock makes one, so what another finds
// half done is of a process that died: before the commit it is undone, after it completed.
//
//   1. every new file is written under a temporary name in the same folder, and synced
//   2. the sidecar's temporary file is renamed to its commit name: from here on the change is made
//   3. the others get their names, then the sidecar
//   4. the folder is synced
//
// A removal renames the sidecar to its `gone` name first, then unlinks.

import { renameSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { artifactOf } from './contents.ts'
import { codeOf, syncFolder, writeNew } from './disk.ts'
import { FRAMES_SUFFIX, SIDECAR_SUFFIX } from './name.ts'

/** The files of one artifact by their suffix; those that are not given stay as they are. */
export interface Parts {
  readonly sidecar: Uint8Array
  readonly file?: Uint8Array | undefined
  readonly frames?: Uint8Array | undefined
}

/** What was found half done in a folder. */
export interface Recovered {
  /** Artifacts of which a change was completed. */
  readonly completed: readonly string[]
  /** Temporary files of changes that were never made. */
  readonly undone: readonly string[]
}

const MARKED = /^(.+)\.(tmp|commit|gone)-([0-9a-f]{12})$/

/** Makes the change; it is durable when this resolves. `dir` is the folder's path. */
export async function changeFiles(dir: string, filename: string, parts: Parts): Promise<void> {
  const id = newId()
  const wanted = [
    ['', parts.file],
    [FRAMES_SUFFIX, parts.frames],
    [SIDECAR_SUFFIX, parts.sidecar],
  ] as const
  const given = wanted.filter(([, bytes]) => bytes !== undefined) as [string, Uint8Array][]
  const temporary = (suffix: string): string => join(dir, `${filename}${suffix}.tmp-${id}`)
  try {
    const written = await Promise.allSettled(given.map(([suffix, bytes]) => writeNew(temporary(suffix), bytes)))
    const failed = written.find((it) => it.status === 'rejected')
    if (failed) throw failed.reason
    renameSync(temporary(SIDECAR_SUFFIX), join(dir, `${filename}${SIDECAR_SUFFIX}.commit-${id}`))
  } catch (error) {
    for (const [suffix] of given) rmSync(temporary(suffix), { force: true })
    throw error
  }
  complete(dir, filename, id)
  await syncFolder(dir)
}

/** Removes an artifact's files. */
export async function removeFiles(dir: string, filename: string): Promise<void> {
  const gone = join(dir, `${filename}${SIDECAR_SUFFIX}.gone-${newId()}`)
  try {
    renameSync(join(dir, `${filename}${SIDECAR_SUFFIX}`), gone)
  } catch (error) {
    // A sidecar that is lost cannot mark the removal; the rest goes all the same.
    if (codeOf(error) !== 'ENOENT') throw error
  }
  unlinkAll(dir, filename, gone)
  await syncFolder(dir)
}

/**
 * Completes or undoes what dead processes left in a folder. `names` is what lies in it; with `filename`, only what belongs
 * to that artifact. Call with the writer lock held.
 */
export async function recoverFolder(dir: string, names: ReadonlySet<string>, filename?: string): Promise<Recovered> {
  const marks = [...names].flatMap((name) => {
    const [, target = '', mark = '', id = ''] = MARKED.exec(name) ?? []
    const isOwn = target !== '' && (filename === undefined || ownerOf(target) === filename)
    return isOwn ? [{ name, target, mark, id }] : []
  })
  if (marks.length === 0) return { completed: [], undone: [] }
  const ofMark = (mark: string): typeof marks => marks.filter((it) => it.mark === mark)
  const completed = new Set<string>()
  for (const { target, id } of ofMark('commit')) {
    complete(dir, ownerOf(target), id)
    completed.add(ownerOf(target))
  }
  for (const { name, target } of ofMark('gone')) {
    const artifact = ownerOf(target)
    // Saved anew since: the mark is all that is left of the removal.
    if (names.has(`${artifact}${SIDECAR_SUFFIX}`)) rmSync(join(dir, name), { force: true })
    else unlinkAll(dir, artifact, join(dir, name))
    completed.add(artifact)
  }
  const committed = new Set(ofMark('commit').map(({ id }) => id))
  const undone = ofMark('tmp').flatMap(({ name, id }) => (committed.has(id) ? [] : [name]))
  for (const name of undone) rmSync(join(dir, name), { force: true })
  await syncFolder(dir)
  return { completed: [...completed], undone }
}

/** True for a name that only exists while a change is under way, or after one was cut short. */
export function isMarked(name: string): boolean {
  return MARKED.test(name)
}

/** Every step may have been done before. */
function complete(dir: string, filename: string, id: string): void {
  for (const suffix of ['', FRAMES_SUFFIX]) {
    renameIfThere(join(dir, `${filename}${suffix}.tmp-${id}`), join(dir, `${filename}${suffix}`))
  }
  const sidecar = join(dir, `${filename}${SIDECAR_SUFFIX}`)
  renameIfThere(`${sidecar}.commit-${id}`, sidecar)
}

/** The mark last: while it is there, the removal is known to be unfinished. */
function unlinkAll(dir: string, filename: string, mark: string): void {
  for (const suffix of ['', FRAMES_SUFFIX]) rmSync(join(dir, `${filename}${suffix}`), { force: true })
  rmSync(mark, { force: true })
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** The artifact that a file or sidecar belongs to. */
function ownerOf(name: string): string {
  return artifactOf(name) ?? name
}

function newId(): string {
  return randomBytes(6).toString('hex')
}
