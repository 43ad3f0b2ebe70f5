import { baseId } from './file-id.ts'
import type { Files } from './files.ts'
import type { Folder } from './folder.ts'
import type { LineHead } from './line.ts'
import type { Log } from './log.ts'
import type { Replica } from './replica.ts'
import { scanFile, type LineSink } from './scan.ts'
import { breath, finished } from './slice.ts'
import { NONE } from './table.ts'

/** A piece of a base that is gone through without a pause. */
const PIECE_BYTES = 2 * 1024 * 1024

/**
 * Lets go of files another process has settled in a base: every row that points to one of them finds its line in the base.
 * Until that is done the old files are still read, deleted or not.
 */
export class Adopter {
  readonly #folder: Folder
  readonly #files: Files
  readonly #replica: Replica
  readonly #log: Log
  readonly #done: () => void
  #wanted = 0
  #running: Promise<void> | undefined
  #stopped = false

  /** `done` is called when nothing older is open any more. */
  constructor(folder: Folder, files: Files, replica: Replica, log: Log, done: () => void) {
    this.#done = done
    this.#folder = folder
    this.#files = files
    this.#replica = replica
    this.#log = log
  }

  /** A base up to this segment was written by another process. */
  adopt(segment: number): void {
    if (segment <= this.#wanted) return
    this.#wanted = segment
    this.#running ??= this.#adoptAll().finally(() => (this.#running = undefined))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await finished(this.#running)
  }

  async #adoptAll(): Promise<void> {
    for (let done = 0; done < this.#wanted && !this.#stopped;) {
      done = this.#wanted
      try {
        await this.#adoptOne(done)
      } catch {
        // It is gone again, settled in a newer one of which we will hear; what is open can still be read.
      }
    }
  }

  async #adoptOne(segment: number): Promise<void> {
    await breath()
    const { readings } = this.#log
    const { catalog } = this.#replica
    const id = baseId(segment)
    const { fd, bytes } = this.#files.open(id, this.#folder.basePath(segment), 'r')
    const sink = this.#relocating(id)
    let piece = PIECE_BYTES
    for (let offset = 0; offset < bytes;) {
      const end = scanFile(fd, offset, Math.min(bytes, offset + piece), sink).offset
      // No complete line: it is longer than the piece, or there is none left.
      if (end === offset && offset + piece >= bytes) break
      piece = end === offset ? piece * 2 : PIECE_BYTES
      offset = end
      await breath()
      if (this.#stopped || this.#log.readings !== readings) return
    }
    for (const row of catalog.rows()) if ((catalog.table.file[row] as number) < id) catalog.remove(row)
    this.#files.closeBelow(id)
    this.#replica.aside.clear()
    this.#done()
  }

  #relocating(id: number): LineSink {
    const { catalog } = this.#replica
    const { table } = catalog
    return {
      entry: (head: LineHead, _buffer: Buffer, _at: number, offset: number): void => {
        const row = table.find(head.hash)
        if (row === NONE || (table.file[row] as number) >= id || table.size[row] !== head.size) return
        table.file[row] = id
        table.offset[row] = offset
      },
      record: () => true,
      torn: () => {},
      poison: () => {},
    }
  }
}
