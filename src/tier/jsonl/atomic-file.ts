// Files that are there as a whole or not at all.

import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { errnoOf } from './failure.ts'

const TEMPORARY = /\.tmp-(\d+)-[0-9a-f]{8}$/

/** Temporary names this process uses right now. */
const used = new Set<string>()

/** A name to write under, in the same folder; {@link publish} or {@link abandon} it. */
export function temporaryPath(path: string): string {
  const temporary = `${path}.tmp-${process.pid}-${crypto.randomUUID().slice(0, 8)}`
  used.add(basename(temporary))
  return temporary
}

/** Makes a finished file last, then gives it its name. In threads of their own: a sync would hold up the event loop. */
export async function publish(temporary: string, path: string): Promise<void> {
  await sync(temporary)
  renameSync(temporary, path)
  used.delete(basename(temporary))
  // Not every platform opens folders; a rename is kept there without it.
  await sync(dirname(path)).catch(() => {})
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Forgets what was written so far. */
export function abandon(temporary: string): void {
  used.delete(basename(temporary))
  rmSync(temporary, { force: true })
}

/** Writes a file unless there is one. Throws what the file system throws. */
export function writeNew(path: string, content: Buffer): void {
  const temporary = written(path, content)
  try {
    linkSync(temporary, path)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return
    // A file system without links: the last one wins, and whoever wrote reads back what is there.
    renameSync(temporary, path)
  } finally {
    abandon(temporary)
  }
  syncFolder(dirname(path))
}

/** Writes a file in the place of the one that is there. */
export function writeOver(path: string, content: Buffer): void {
  const temporary = written(path, content)
  renameSync(temporary, path)
  used.delete(basename(temporary))
  syncFolder(dirname(path))
}

/** True for a name only used while a file is written. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name)
}

/** True when whoever wrote under this name is not there any more. */
export function isLeftover(name: string): boolean {
  const pid = Number(TEMPORARY.exec(name)?.[1])
  if (Number.isNaN(pid)) return false
  // In a container a former process may have had the same number.
  return pid === process.pid ? !used.has(name) : !isRunning(pid)
}

/** Makes a new name in a folder outlive a loss of power. */
export function syncFolder(path: string): void {
  try {
    const folder = openSync(path, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch {
    // Not every platform opens folders; a rename is kept there without it.
  }
}

function written(path: string, content: Buffer): string {
  const temporary = temporaryPath(path)
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      if (writeSync(file, content) < content.byteLength) throw fullDisk(temporary)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    abandon(temporary)
    throw error
  }
  return temporary
}

/** What a write that was cut short comes to. */
export function fullDisk(path: string): Error {
  return Object.assign(new Error(`ENOSPC: no space left on device, write '${path}'`), { code: 'ENOSPC' })
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}
