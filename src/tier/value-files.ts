import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { slices } from '../codec/checksum.ts'

/** Larger encoded values are kept in files: a row of this size still fits SQLite's pages well. */
export const FILE_VALUE_BYTES: number = 64 * 1024

/** A file that no row names is collected after this long: its row may be about to be written. */
const GRACE_MS = 10 * 60_000
const TEMPORARY = '.tmp-'

/**
 * Large values as files beside the database, named by the hash of their content: equal values share one, and a file is
 * never changed once it has its name. Written before the row that names it, collected when no row does.
 */
export class ValueFiles {
  readonly #folder: string
  #swept = false
  /** Nothing is removed. */
  readOnly = false

  constructor(databasePath: string) {
    this.#folder = `${databasePath}.values`
  }

  /** Stores the bytes and returns their name. */
  async write(data: string | Uint8Array): Promise<string> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    const name = await hashOf(bytes)
    const path = this.#path(name)
    if (await touch(path)) return name
    await mkdir(join(this.#folder, name.slice(0, 2)), { recursive: true, mode: 0o700 })
    const temporary = `${path}${TEMPORARY}${process.pid}-${randomUUID().slice(0, 8)}`
    try {
      await writeFile(temporary, bytes, { flag: 'wx', mode: 0o600 })
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    return name
  }

  /** The bytes of a file, or `undefined` when it is gone; the row's checksum tells whether they are right. */
  async read(name: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.#path(name))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  /** Removes a file whose content proved wrong, so that an equal value is written anew. */
  async remove(name: string): Promise<void> {
    if (!this.readOnly) await rm(this.#path(name), { force: true })
  }

  /** Removes up to `limit` files that no row names any more. Returns how many. */
  collect(isNamed: (name: string) => boolean, limit: number): number {
    let removed = 0
    const before = Date.now() - GRACE_MS
    for (const [path, name] of this.#files()) {
      if (removed >= limit) break
      if (name.includes(TEMPORARY)) continue
      const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs
      if (changed === undefined || changed > before || isNamed(name)) continue
      rmSync(path, { force: true })
      removed++
    }
    return removed
  }

  /** Removes what a killed process left half written. Once, when the database was opened. */
  removeLeftovers(): void {
    if (this.#swept) return
    this.#swept = true
    for (const [path, name] of this.#files()) {
      const at = name.indexOf(TEMPORARY)
      if (at === -1) continue
      const pid = Number.parseInt(name.slice(at + TEMPORARY.length), 10)
      if (pid !== process.pid && !isRunning(pid)) rmSync(path, { force: true })
    }
  }

  *#files(): Iterable<[path: string, name: string]> {
    for (const part of list(this.#folder)) {
      for (const name of list(join(this.#folder, part))) yield [join(this.#folder, part, name), name]
    }
  }

  #path(name: string): string {
    return join(this.#folder, name.slice(0, 2), name)
  }
}

async function hashOf(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  for (const slice of slices(bytes)) {
    hash.update(slice)
    if (bytes.byteLength > slice.byteLength) await new Promise((resolve) => setImmediate(resolve))
  }
  return hash.digest('hex')
}

/** Tells the collector that the file is wanted again; false when there is none. */
async function touch(path: string): Promise<boolean> {
  const now = new Date()
  try {
    await utimes(path, now, now)
    return true
  } catch {
    return false
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
