import { lstatSync, mkdirSync, realpathSync, type Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { codeOf, syncFolder, unsafe } from './disk.ts'
import { isName } from './name.ts'

/** The store's own files in the root. No folder of artifacts can have the name: it begins with a dot. */
const OWN_FOLDER = '.tidemark'

/**
 * The root and the folders in it, one level deep. A folder that is a symbolic link is not one of ours: what is written
 * there would lie elsewhere (contract C7, `names-are-not-paths`). The root itself may be a link: that is its owner's choice.
 */
export class Folders {
  #root: string

  constructor(root: string) {
    this.#root = resolve(root)
  }

  get root(): string {
    return this.#root
  }

  /** Makes the root, private, where it has to be made. */
  prepare(): void {
    mkdirSync(join(this.#root, OWN_FOLDER), { recursive: true, mode: 0o700 })
    this.#root = realpathSync(this.#root)
  }

  /** The path of a file of the store itself. */
  own(name: string): string {
    return join(this.#root, OWN_FOLDER, name)
  }

  pathOf(folder: string, filename: string): string {
    return join(this.#root, folder, filename)
  }

  /** The folder's path; `undefined` when it does not exist. Errors: `artifact-unsafe`. */
  find(folder: string): string | undefined {
    const path = join(this.#root, folder)
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found && !found.isDirectory()) throw unsafe(path, 'a folder')
    return found && path
  }

  /** The folder's path, after it was made if need be. Errors: `artifact-unsafe`. */
  async make(folder: string): Promise<string> {
    const found = this.find(folder)
    if (found !== undefined) return found
    const path = join(this.#root, folder)
    mkdirSync(path, { mode: 0o700 })
    await syncFolder(this.#root)
    return path
  }

  /** The names of all folders that can hold artifacts. */
  async list(): Promise<string[]> {
    const entries = await entriesOf(this.#root)
    return entries
      .filter((entry) => entry.isDirectory() && isName(entry.name))
      .map((entry) => entry.name)
      .toSorted()
  }

  /** What lies in a folder: names of regular files, and of everything else. */
  async read(folder: string): Promise<{ readonly files: ReadonlySet<string>; readonly others: readonly string[] }> {
    const path = this.find(folder)
    const entries = path === undefined ? [] : await entriesOf(path)
    return {
      files: new Set(entries.filter((entry) => entry.isFile()).map((entry) => entry.name)),
      others: entries.filter((entry) => !entry.isFile()).map((entry) => entry.name),
    }
  }
}

async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
