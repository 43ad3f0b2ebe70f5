// Files down to the disk. What only moves names is done at once: microseconds, where a turn of the event loop costs more.
// What waits for the disk, or moves many bytes, is awaited.

import { closeSync, constants, fstatSync, fsync, lstatSync, openSync, read, readSync, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { TidemarkError, isTidemarkError } from '../errors.ts'

// Windows has only the last of them; the others are undefined there, which is nothing to an "or".
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
/** What is larger is read and written without keeping the event loop. */
const AT_ONCE_BYTES = 64 * 1024

const synced = promisify(fsync)
const readSome = promisify(read)
const writeSome = promisify(write)

/**
 * Opens a regular file for reading; `undefined` when there is none. A link is not followed, and a pipe does not make anyone
 * wait. Errors: `artifact-unsafe`.
 */
export function openRegular(path: string): number | undefined {
  // Most of what a first save looks for is not there; the error that says so would cost ten times this look.
  if (!lstatSync(path, { throwIfNoEntry: false })) return undefined
  let fd: number
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return undefined
    throw code === 'ELOOP' || code === 'ENXIO' ? unsafe(path, 'a regular file') : error
  }
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw unsafe(path, 'a regular file')
}

/** All bytes of a regular file of at most `maxBytes`; `undefined` when there is none. Errors: `artifact-unsafe`, `artifact-malformed`. */
export async function readRegular(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const fd = openRegular(path)
  if (fd === undefined) return undefined
  try {
    const { size } = fstatSync(fd)
    if (size > maxBytes) {
      const message = `${path} has ${size} bytes, more than the ${maxBytes} that are ever written.`
      throw new TidemarkError('artifact-malformed', message, { data: { file: path } })
    }
    return await readAll(fd, size)
  } finally {
    closeSync(fd)
  }
}

/** The first `size` bytes of an open file, or what there is of them. */
export async function readAll(fd: number, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  while (at < size) {
    const got =
      size <= AT_ONCE_BYTES
        ? readSync(fd, bytes, at, size - at, at)
        : (await readSome(fd, bytes, at, size - at, at)).bytesRead
    if (got === 0) break
    at += got
  }
  return bytes.subarray(0, at)
}

/** Reads some bytes at a place of an open file into `into`. Resolves to how many. */
export async function readAt(fd: number, into: Uint8Array, at: number): Promise<number> {
  return (await readSome(fd, into, 0, into.byteLength, at)).bytesRead
}

/** Writes a private file that did not exist before, whole, down to the disk. */
export async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const fd = openSync(path, 'wx', 0o600)
  try {
    let at = 0
    while (at < bytes.byteLength) {
      const isShort = bytes.byteLength <= AT_ONCE_BYTES
      const wrote = isShort ? writeSync(fd, bytes, at) : (await writeSome(fd, bytes, at)).bytesWritten
      // A disk that takes nothing and says nothing would otherwise keep us here for ever.
      if (wrote === 0) throw new Error(`${path} took ${at} of ${bytes.byteLength} bytes.`)
      at += wrote
    }
    await synced(fd)
  } finally {
    closeSync(fd)
  }
}

/** Makes the names in a folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  // Windows knows no such thing, and needs none.
  if (process.platform === 'win32') return
  const fd = openSync(path, O_RDONLY)
  try {
    await synced(fd)
  } finally {
    closeSync(fd)
  }
}

/** What the system calls a failure. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** The error for something that stands where a folder or a file should. */
export function unsafe(path: string, what: string): TidemarkError {
  return new TidemarkError('artifact-unsafe', `${path} is not ${what}.`, { data: { path } })
}

/** What the system says, as an error of ours; one of ours as it is. */
export function unavailable(path: string, error: unknown): TidemarkError {
  if (isTidemarkError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  return new TidemarkError('artifact-unavailable', `${path}: ${message}`, { cause: error, data: { path } })
}
