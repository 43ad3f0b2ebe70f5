import { fdatasyncSync, writeSync } from 'node:fs'
import { TidemarkError, isTidemarkError } from '../../errors.ts'
import type { ChangedSlots } from '../tier.ts'
import { fullDisk, syncFolder } from './atomic-file.ts'
import { Batch, type NewRecord } from './batch.ts'
import { errnoOf, tierFailure } from './failure.ts'
import { SEGMENT_BYTES_MAX, SEGMENTS_MAX, baseId, numberOfId } from './file-id.ts'
import type { Files } from './files.ts'
import type { Folder } from './folder.ts'
import { FORMAT_VERSION } from './format.ts'
import { Live, Replaced, readFolder } from './live.ts'
import type { Manifest } from './manifest.ts'
import type { Replica } from './replica.ts'
import { scanBuffer } from './scan.ts'

/** Somebody else's torn line can spoil ours again and again, but not for long. */
const ATTEMPTS_MAX = 20

/**
 * The files of a folder as one log. Every process appends to the same live segment, in calls the system carries out one
 * after the other, so where a line comes to lie is its place in the one order of all changes: there is no lock, nothing
 * that a killed process could leave behind, and nobody waits for anybody.
 */
export class Log {
  /** Tells others' changes; `'all'` when some may have been missed. */
  onChanges: (changed: ChangedSlots) => void = () => {}
  /** Another folder is at the path, or none was. */
  onReplaced: (reason: string) => void = () => {}
  readonly #folder: Folder
  readonly #files: Files
  readonly #replica: Replica
  readonly #syncs: boolean
  readonly #batch: Batch
  #manifest: Manifest | undefined
  #live: Live | undefined
  #readings = 0
  /** A newer version has begun to write here: nothing of it is touched. */
  #newer: TidemarkError | undefined
  #closed = false

  /** `syncs`: every append is synced to the disk before it counts. */
  constructor(folder: Folder, files: Files, replica: Replica, mark: string, syncs: boolean) {
    this.#folder = folder
    this.#files = files
    this.#replica = replica
    this.#syncs = syncs
    this.#batch = new Batch(mark)
  }

  /** The number of the live segment. */
  get segment(): number {
    return numberOfId(this.#opened().id)
  }

  get manifest(): Manifest {
    this.#opened()
    return this.#manifest as Manifest
  }

  /** Counts how often the folder was read: what was found in it before is void. */
  get readings(): number {
    return this.#readings
  }

  /** Reads the folder if that was not done. Errors: `tier-foreign`, `tier-newer`, `tier-read-only`, `tier-full`, `tier-unavailable`, `closed`. */
  open(): void {
    if (!this.#live) this.#run(() => this.#opened())
  }

  /** Takes in what was appended since the last look; {@link tell} tells of it. Errors as for {@link open}. */
  look(): void {
    this.#run(() => this.#look(this.#opened()))
  }

  /** Tells what others changed, as far as it was taken in and not told yet. */
  tell(): void {
    const { news } = this.#replica
    if (news.length === 0) return
    this.#replica.news = []
    this.onChanges(news)
  }

  /**
   * Appends the lines `compose` puts into the batch and returns what became of each, in order. It is called again when
   * the lines came too late for their segment. Errors as for {@link open}; after `tier-full` some may have landed.
   */
  append(compose: (batch: Batch) => void): unknown[] {
    return this.#run(() => {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const outcomes = this.#appended(this.#appendable(this.#opened()), compose)
        if (!outcomes) continue
        this.tell()
        return outcomes
      }
      throw new TidemarkError('tier-unavailable', `Lines could not be appended to ${this.#live?.path}.`)
    })
  }

  /** Looks whether the live segment is still the file at its path; if not, what is there is read anew. */
  checkFile(): void {
    this.#run(() => {
      const live = this.#opened()
      if (live.isOpen && !live.isAtItsPath()) throw new Replaced()
    })
  }

  /** Throws all entries away: what cannot be removed from the folder must not be found in it. */
  startOver(): void {
    this.#run(() => {
      const settled = numberOfId(this.#opened().id)
      try {
        this.#folder.settleAsEmpty(settled)
      } catch (error) {
        throw errnoOf(error) === 'EEXIST' ? new Replaced() : error
      }
      this.#folder.removeBelow(baseId(settled))
      this.#forget()
      this.#opened()
    })
  }

  close(): void {
    this.#closed = true
    this.#forget()
  }

  /** What fails comes out as one of our errors; a folder that is not the one we read is read anew. */
  #run<T>(work: () => T): T {
    if (this.#newer) throw this.#newer
    for (let attempt = 0; ; attempt++) {
      try {
        return work()
      } catch (error) {
        if (isTidemarkError(error, 'tier-newer')) this.#newer = error
        if (!(error instanceof Replaced) || attempt >= ATTEMPTS_MAX) throw tierFailure(error, this.#folder.path)
        this.#forget()
      }
    }
  }

  #opened(): Live {
    if (this.#live) return this.#live
    if (this.#closed) throw new TidemarkError('closed', `The JSONL tier at ${this.#folder.path} was closed.`)
    const before = this.#manifest?.uid
    const manifest = this.#folder.open()
    const isOther = before !== undefined && before !== manifest.uid
    for (let attempt = 0; !this.#live; attempt++) {
      try {
        this.#replica.clear(manifest.seed, isOther)
        this.#live = readFolder(this.#folder, this.#files, this.#replica)
      } catch (error) {
        this.#forget()
        // A file was settled between the list and its opening.
        const hasMoved = errnoOf(error) === 'ENOENT' || error instanceof Replaced
        if (!hasMoved || attempt >= ATTEMPTS_MAX) throw error
      }
    }
    this.#manifest = manifest
    this.#readings++
    if (before !== undefined) this.#reopened(isOther)
    return this.#live
  }

  /** What happened until now may have been missed. */
  #reopened(isOther: boolean): void {
    this.#replica.distrustLeases()
    this.#replica.news = []
    if (isOther) this.onReplaced(`${this.#folder.path} was deleted or replaced; starting anew`)
    this.onChanges('all')
  }

  #look(from: Live): Live {
    for (let live = from; ;) {
      if (!live.isOpen && !live.openToRead()) return live
      const { size, isDeleted } = live.stat()
      if (size !== live.size) live.takeIn(size, 'all')
      if (this.#replica.endedBy === undefined) {
        // Whoever deletes a settled segment has ended it before.
        if (isDeleted) throw new Replaced()
        return live
      }
      live = this.#next(live)
    }
  }

  #next({ id }: Live): Live {
    if (numberOfId(id) >= SEGMENTS_MAX) {
      // After years of compactions the numbers are used up: the folder begins a new life.
      this.#folder.removeAll()
      throw new Replaced()
    }
    this.#live = new Live(id + 2, this.#folder, this.#files, this.#replica)
    return this.#live
  }

  #appendable(from: Live): Live {
    let live = from
    while (!live.canAppend) {
      live.openToAppend()
      if (this.#syncs) syncFolder(this.#folder.path)
      live = this.#look(live)
    }
    if (live.size < SEGMENT_BYTES_MAX) return live
    this.#appended(live, (batch) => batch.record({ op: 'end' }))
    return this.#appendable(this.#opened())
  }

  /** Undefined when the lines did not count, and are to be composed again. */
  #appended(live: Live, compose: (batch: Batch) => void): unknown[] | undefined {
    const batch = this.#batch
    batch.clear()
    if (live.size > live.taken) batch.newline()
    if (live.size === 0) batch.note(this.#head(live))
    compose(batch)
    if (batch.lines === 0) return []
    const written = writeSync(live.fd, batch.buffer, 0, batch.length)
    if (this.#syncs) fdatasyncSync(live.fd)
    const { size, isDeleted } = live.stat()
    this.#replica.outcomes = []
    const isAlone = live.taken === live.size && written === batch.length && size === live.size + written
    if (isAlone) this.#takeInOwn(live, size)
    else live.takeIn(size, 'all')
    const { outcomes, endedBy } = this.#replica
    if (endedBy !== undefined) this.#next(live)
    else if (isDeleted) throw new Replaced()
    if (outcomes.length === batch.lines) return outcomes
    if (written < batch.length) throw fullDisk(this.#folder.path)
    return undefined
  }

  /** Nobody else has written: the lines need not be read back. */
  #takeInOwn(live: Live, size: number): void {
    const { buffer, length } = this.#batch
    live.takeIn(size, 'own', () => scanBuffer(buffer, length, live.taken, this.#replica).offset)
  }

  #head({ id }: Live): NewRecord {
    return headRecord(this.#manifest as Manifest, { segment: numberOfId(id) })
  }

  #forget(): void {
    this.#live = undefined
    this.#files.closeAll()
  }
}

/** The first line of a file: what is needed to read it when the manifest is lost. */
export function headRecord({ uid, seed }: Manifest, which: { segment?: number; base?: number }): NewRecord {
  return { op: 'head', format: FORMAT_VERSION, uid, seed, ...which, at: new Date().toISOString() }
}
