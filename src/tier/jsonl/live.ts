import { fstatSync, statSync } from 'node:fs'
import { errnoOf } from './failure.ts'
import { isBase, numberOfId, segmentId, startOf } from './file-id.ts'
import type { Files } from './files.ts'
import type { Folder } from './folder.ts'
import type { Authors, Replica } from './replica.ts'
import { scanFile } from './scan.ts'

/** The folder is not the one that was read, or changed in ways that were not seen: it has to be read anew. */
export class Replaced extends Error {
  constructor() {
    super('the folder changes faster than it can be read')
  }
}

/** What a look at the live segment found. */
export interface Look {
  readonly size: number
  readonly isDeleted: boolean
}

/** The segment lines are appended to, as far as it was taken in. */
export class Live {
  readonly id: number
  readonly path: string
  /** Up to here lines were taken in. */
  taken = 0
  /** How long it was at the last look; more than `taken` when its last line has no end. */
  size = 0
  canAppend = false
  readonly #folder: Folder
  readonly #files: Files
  readonly #replica: Replica
  #fd: number | undefined

  constructor(id: number, folder: Folder, files: Files, replica: Replica) {
    this.id = id
    this.path = folder.segmentPath(numberOfId(id))
    this.#folder = folder
    this.#files = files
    this.#replica = replica
    replica.begin({ id, path: this.path, start: startOf(id) })
    replica.reached(0)
  }

  /** The open file; throws when there is none. */
  get fd(): number {
    if (this.#fd === undefined) throw new RangeError(`${this.path} is not open`)
    return this.#fd
  }

  get isOpen(): boolean {
    return this.#fd !== undefined
  }

  /** False when nobody has made the file yet. */
  openToRead(): boolean {
    try {
      this.#open('r')
      return true
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      if (this.#folder.isSettled(numberOfId(this.id))) throw new Replaced()
      return false
    }
  }

  /** Makes the file if nobody has. */
  openToAppend(): void {
    const before = this.#fd === undefined ? undefined : fstatSync(this.#fd).ino
    if (before !== undefined && !this.isAtItsPath()) throw new Replaced()
    try {
      this.#open('a+')
    } catch (error) {
      // The folder is gone.
      throw errnoOf(error) === 'ENOENT' ? new Replaced() : error
    }
    if (before !== undefined && fstatSync(this.fd).ino !== before) throw new Replaced()
    this.canAppend = true
  }

  /** False when somebody deleted or replaced the file. */
  isAtItsPath(): boolean {
    return statSync(this.path, { throwIfNoEntry: false })?.ino === fstatSync(this.fd).ino
  }

  stat(): Look {
    const { size, nlink } = fstatSync(this.fd)
    if (size < this.taken) throw new Replaced()
    return { size, isDeleted: nlink === 0 }
  }

  /** Takes in lines up to `size`, from the file or from wherever `scan` has them. */
  takeIn(size: number, authors: Authors, scan?: () => number): void {
    this.#replica.authors = authors
    try {
      this.taken = scan ? scan() : scanFile(this.fd, this.taken, size, this.#replica).offset
    } finally {
      this.#replica.authors = 'past'
    }
    this.size = size
    this.#files.grown(this.id, size)
    this.#replica.reached(this.taken)
  }

  #open(flags: 'r' | 'a+'): void {
    const { fd, bytes } = this.#files.open(this.id, this.path, flags)
    this.#fd = fd
    if (bytes > 0 || !this.#folder.isSettled(numberOfId(this.id))) return
    // It was settled and deleted, and somebody who came too late has made it again: nobody would ever read it.
    this.#folder.remove(this.path)
    throw new Replaced()
  }
}

/** Reads every file that counts; what comes back is the segment to go on with. Throws what the file system throws. */
export function readFolder(folder: Folder, files: Files, replica: Replica): Live {
  const listed = folder.files()
  const last = listed.at(-1)?.id ?? 0
  for (const { id, path } of listed) {
    if (id === last && !isBase(id)) {
      const live = new Live(id, folder, files, replica)
      if (live.openToRead()) live.takeIn(live.stat().size, 'past')
      if (replica.endedBy === undefined) return live
    } else {
      replica.begin({ id, path, start: isBase(id) ? undefined : startOf(id) })
      const { fd, bytes } = files.open(id, path, 'r')
      scanFile(fd, 0, bytes, replica)
    }
  }
  return new Live(segmentId(numberOfId(last) + 1), folder, files, replica)
}
