import type { Aside } from './aside.ts'
import { BaseFile } from './base-file.ts'
import { tierFailure } from './failure.ts'
import { baseId } from './file-id.ts'
import type { Files } from './files.ts'
import type { Folder } from './folder.ts'
import { headRecord, type Log } from './log.ts'
import type { LineReader } from './line-reader.ts'
import { removalOf } from './record.ts'
import type { Replica } from './replica.ts'
import { SLICE_MS, breath, finished } from './slice.ts'
import { NONE } from './table.ts'

/** Below this a folder is left alone: rewriting it would cost more than it frees. */
const WORTH_BYTES = 1024 * 1024
/** Not more often than this, unless so much is dead: segments are numbered, and numbers end. */
const PAUSE_MS = 2_000
const PRESSING_BYTES = 64 * 1024 * 1024
/** Whoever ended a segment to compact it gets this long before another process tries. */
const OTHERS_TURN_MS = 30_000

/** What compaction needs of the tier around it. */
export interface CompactorParts {
  readonly folder: Folder
  readonly files: Files
  readonly replica: Replica
  readonly reader: LineReader
  readonly log: Log
  readonly now: () => number
  /** Tells of a failure; the folder is as it was. */
  readonly failed: (error: unknown) => void
}

/**
 * Rewrites what is left of a folder when more than half of it is dead lines. The live segment is ended: whose end comes
 * first does it, the others go on appending to the next one. What is left goes into a new base in slices; once that has
 * its name, everything older is garbage, whoever dies when.
 */
export class Compactor {
  readonly #parts: CompactorParts
  #running: Promise<void> | undefined
  #lastAt = Number.NEGATIVE_INFINITY
  #notBefore = 0
  #stopped = false

  constructor(parts: CompactorParts) {
    this.#parts = parts
  }

  /** True while more than half of the folder is dead lines. */
  get isDue(): boolean {
    const { files, replica } = this.#parts
    const { bytes } = files
    const deadBytes = bytes - replica.catalog.lineBytes
    if (bytes <= WORTH_BYTES || deadBytes * 2 <= bytes) return false
    return deadBytes > PRESSING_BYTES || performance.now() - this.#lastAt >= PAUSE_MS
  }

  /** Starts if it is worth it and nobody else is at it; runs by itself. */
  startIfDue(): void {
    if (this.#running || this.#stopped || !this.isDue || performance.now() < this.#notBefore) return
    this.#running = this.#compact()
      .catch((error: unknown) => this.#parts.failed(tierFailure(error, this.#parts.folder.path)))
      .finally(() => (this.#running = undefined))
  }

  /** Another process ended a segment, maybe to compact it. */
  leaveToOthers(): void {
    this.#notBefore = performance.now() + OTHERS_TURN_MS
  }

  /** Another process has written a base, and it was taken over here. */
  otherDone(): void {
    this.#lastAt = performance.now()
    this.#notBefore = 0
  }

  /** Gives up; resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.#stopped = true
    await finished(this.#running)
  }

  async #compact(): Promise<void> {
    this.#lastAt = performance.now()
    const { log, folder } = this.#parts
    log.look()
    const settled = log.segment
    const isOurs = log.append((batch) => {
      if (log.segment === settled) batch.record({ op: 'end' })
    })
    if (isOurs.length === 0) return
    const base = new BaseFile(folder.basePath(settled))
    try {
      await this.#fill(base, settled)
    } catch (error) {
      base.abandon()
      this.leaveToOthers()
      throw error
    }
  }

  async #fill(base: BaseFile, settled: number): Promise<void> {
    const { log, folder, files, replica } = this.#parts
    const { catalog, aside } = replica
    const { readings } = log
    const isVoid = (): boolean => this.#stopped || log.readings !== readings
    base.record(headRecord(log.manifest, { base: settled }))
    const rows = catalog.rows()
    const id = baseId(settled)
    const offsets = await this.#copy(rows, id, base, isVoid)
    if (isVoid()) return base.abandon()
    for (const { key, owner, until } of replica.claims.all()) {
      base.record({ op: 'claim', name: key.name, key: key.id, owner, until, at: until })
    }
    await base.publish()
    if (isVoid()) return
    files.open(id, folder.basePath(settled), 'r')
    const { table } = catalog
    rows.forEach((row, i) => {
      // Whatever points to an older file still is what was copied; or it was past its time, or damaged.
      if ((table.file[row] as number) > id) return
      const offset = offsets[i] as number
      if (offset === NONE) return catalog.remove(row)
      table.file[row] = id
      table.offset[row] = offset
    })
    this.#clearUp(id, aside)
    log.append((batch) => batch.record({ op: 'base', segment: settled }))
  }

  /** Copies the lines of rows that lie in older files than the base, and tells where they came to lie. */
  async #copy(rows: readonly number[], id: number, base: BaseFile, isVoid: () => boolean): Promise<Float64Array> {
    const { replica, reader, now } = this.#parts
    const { table } = replica.catalog
    const offsets = new Float64Array(rows.length).fill(NONE)
    let sliceEnd = performance.now() + SLICE_MS
    for (const [i, row] of rows.entries()) {
      if ((i & 15) === 0 && performance.now() > sliceEnd) {
        await breath()
        if (isVoid()) return offsets
        sliceEnd = performance.now() + SLICE_MS
      }
      if ((table.file[row] as number) > id || now() >= (table.keepUntil[row] as number)) continue
      const line = reader.line(row)
      if (!line) continue
      offsets[i] = base.line(line, table.size[row] as number)
      const staleAt = table.staleAt[row] as number
      if (staleAt === 0) continue
      const key = reader.meta(row)?.key
      if (key) base.record(removalOf({ kind: 'key', key }, staleAt))
    }
    return offsets
  }

  #clearUp(id: number, aside: Aside): void {
    const { folder, files } = this.#parts
    aside.save(folder.damagedPath)
    folder.removeBelow(id)
    files.closeBelow(id)
    folder.keepReserve()
  }
}
