import { systemClock, type Clock } from '../../clock.ts'
import type { Compression } from '../../codec/compression.ts'
import type { Entry, KeyInfo } from '../../entry.ts'
import { isTidemarkError } from '../../errors.ts'
import type { Key, Selector } from '../../key.ts'
import { FILE_VALUE_BYTES, ValueFiles } from '../value-files.ts'
import type { Capabilities, ChangeFeed, Claims, Lease, MaybePromise, Tier, TierHost, TierReport } from '../tier.ts'
import { Adopter } from './adopter.ts'
import { Capacity } from './capacity.ts'
import { Changes } from './changes.ts'
import { JsonlClaims } from './claims.ts'
import { Compactor } from './compactor.ts'
import { Files } from './files.ts'
import { Folder } from './folder.ts'
import { FullDisk } from './full-disk.ts'
import { MARK_BYTES } from './line.ts'
import { LineReader } from './line-reader.ts'
import { count, infos } from './listing.ts'
import { Log } from './log.ts'
import { resolveOptions, type JsonlOptions, type JsonlSettings } from './options.ts'
import { PreparedEntry } from './prepare.ts'
import { checksumOf, Reads } from './reads.ts'
import { removalOf } from './record.ts'
import { Replica } from './replica.ts'
import { Sweeper } from './sweeper.ts'
import { Writer } from './writer.ts'

/**
 * The persistent tier a person can read: a folder of append-only files, one line of JSON a change, shared by the processes
 * of one machine. Reads are synchronous, changes are appended in groups. Errors at construction: `invalid-option`,
 * `unknown-option`; when the folder is first opened: `tier-foreign`, `tier-newer`. Any other trouble with the folder is a
 * state of the tier, not an exception.
 *
 * @example
 * createTidemark({ tiers: [memory(), jsonl({ path: 'data/segments', maxEntries: 100_000 })] })
 */
export function jsonl(options: JsonlOptions = {}): Tier {
  return new JsonlTier(resolveOptions(options))
}

class JsonlTier implements Tier {
  readonly name = 'jsonl'
  readonly capabilities: Capabilities
  readonly feed: ChangeFeed
  readonly claims: Claims
  readonly #compression: Compression | undefined
  readonly #maxEntryBytes: number
  readonly #folder: Folder
  readonly #files = new Files()
  readonly #replica: Replica
  readonly #log: Log
  readonly #changes: Changes
  readonly #writer: Writer
  readonly #reader: LineReader
  readonly #reads: Reads
  readonly #valueFiles: ValueFiles
  readonly #fullDisk: FullDisk
  readonly #compactor: Compactor
  readonly #adopter: Adopter
  readonly #sweeper: Sweeper
  #clock: Clock = systemClock
  #report: (news: TierReport) => void = () => {}

  constructor(settings: JsonlSettings) {
    const { compression, maxEntryBytes } = settings
    this.capabilities = {
      persistent: true,
      shared: true,
      sync: true,
      maxEntryBytes,
      ...(compression && { compression }),
    }
    this.#compression = compression
    this.#maxEntryBytes = maxEntryBytes
    const clock = (): Clock => this.#clock
    const report = (news: TierReport): void => this.#report(news)
    const mark = newMark()
    const folder = (this.#folder = new Folder(settings.path))
    const files = this.#files
    const replica = (this.#replica = new Replica(mark, clock))
    const log = (this.#log = new Log(folder, files, replica, mark, settings.durability === 'power-loss'))
    const reader = (this.#reader = new LineReader(files, replica))
    this.#valueFiles = new ValueFiles(folder.largePath)
    this.feed = this.#changes = new Changes(log, replica)
    this.#writer = new Writer(log, replica)
    this.claims = new JsonlClaims(this.#writer, replica, this.#changes, clock)
    const capacity = new Capacity(settings, replica, reader, (key) =>
      report({ kind: 'evicted', name: key.name, count: 1, cause: 'size', key }),
    )
    this.#reads = new Reads({
      replica,
      reader,
      capacity,
      files: this.#valueFiles,
      clock,
      report,
      look: () => this.#changes.look(),
    })
    this.#fullDisk = new FullDisk({
      folder,
      log,
      replica,
      emptied: (reason) => report({ kind: 'quarantined', reason }),
      failed: (error) => report({ kind: 'failed', operation: 'remove', error }),
    })
    this.#adopter = new Adopter(folder, files, replica, log, () => this.#compactor.otherDone())
    this.#compactor = new Compactor({
      folder,
      files,
      replica,
      reader,
      log,
      now: () => this.#clock.now(),
      failed: (error) => report({ kind: 'failed', operation: 'compact', error }),
    })
    this.#sweeper = new Sweeper(replica, reader, this.#valueFiles, (name, swept) =>
      report({ kind: 'evicted', name, count: swept, cause: 'ttl' }),
    )
    folder.report = replica.report = report
    log.onReplaced = (reason) => report({ kind: 'quarantined', reason })
    replica.onEnd = () => this.#compactor.leaveToOthers()
    replica.onBase = (segment) => this.#adopter.adopt(segment)
    this.#writer.makeRoom = (batch, coming) => capacity.makeRoom(batch, coming)
    this.#writer.onSetsRefused = (entries) => this.#fullDisk.removeReplaced(entries)
    this.#writer.afterAppend = () => {
      capacity.tell()
      if (capacity.isExceeded) this.#dropExcess(capacity)
      this.#compactor.startIfDue()
    }
  }

  attach(host: TierHost): void {
    this.#clock = host.clock
    this.#report = (news) => host.report(news)
    const { readOnly = false } = host
    this.#folder.readOnly = this.#valueFiles.readOnly = readOnly
    try {
      this.#log.open()
    } catch (error) {
      // Someone else's folder is a mistake of whoever chose the path; anything else may heal, and reads go on without it.
      if (isTidemarkError(error, 'tier-foreign') || isTidemarkError(error, 'tier-newer')) throw error
      this.#report({ kind: 'failed', operation: 'open', error })
      return
    }
    if (!readOnly) this.#tidyUp()
  }

  get(key: Key): MaybePromise<Entry | undefined> {
    this.#changes.lookNowAndThen()
    return this.#reads.get(key)
  }

  lease(): Lease {
    return this.#changes.lease()
  }

  storeId(): string | undefined {
    try {
      return this.#log.manifest.uid
    } catch {
      return undefined
    }
  }

  put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
    const prepared = new PreparedEntry(entry, lease === undefined ? undefined : this.#clock.now())
    const { bytes } = prepared.value
    if (bytes > this.#maxEntryBytes) return this.#skip(entry.key, bytes)
    const ready = bytes > FILE_VALUE_BYTES ? this.#makeReady(prepared) : undefined
    if (!ready) prepared.pack(this.#compression)
    if (lease !== undefined) return this.#writer.add(prepared, lease, ready)
    return ready ? this.#writer.setLarge(prepared, ready) : this.#writer.set(prepared)
  }

  remove(selector: Selector, staleAt?: number): Promise<number> {
    const record = removalOf(selector, staleAt)
    const write = (): Promise<number> =>
      this.#writer.record<number>((batch) => {
        batch.record(record)
        return undefined
      })
    return write().catch((error: unknown) => this.#fullDisk.removeAgain(write, error))
  }

  async *keys(selector: Selector): AsyncIterable<KeyInfo> {
    this.#changes.check()
    yield* infos(selector, this.#clock, this.#replica, this.#reader)
  }

  count(selector: Selector): number {
    this.#changes.check()
    return count(selector, this.#clock, this.#replica)
  }

  sweep(now: number, limit: number): number {
    this.#changes.check()
    const dropped = this.#sweeper.sweep(now, limit)
    this.#compactor.startIfDue()
    return dropped
  }

  async close(): Promise<void> {
    await this.#writer.drain()
    await Promise.all([this.#compactor.stop(), this.#adopter.stop()])
    this.#log.close()
  }

  #tidyUp(): void {
    try {
      this.#folder.removeLeftovers()
      this.#folder.keepReserve()
      this.#valueFiles.removeLeftovers()
    } catch {
      // A folder that may not be written is as good for reading; whoever changes something will be told.
    }
  }

  /** Compresses a large value, and moves what is still large to a file. */
  async #makeReady(prepared: PreparedEntry): Promise<void> {
    await prepared.packLater(this.#compression)
    const { data, bytes: size } = prepared.value
    if (size <= FILE_VALUE_BYTES) return
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    const crc = await checksumOf(bytes)
    prepared.movedTo({ file: await this.#valueFiles.write(bytes), crc })
  }

  async #skip(key: Key, bytes: number): Promise<boolean> {
    // The older value may not stay in its place.
    await this.remove({ kind: 'key', key })
    const message = `${bytes} bytes, the limit is ${this.#maxEntryBytes}`
    this.#report({ kind: 'skipped', key, why: 'too-large', message })
    return true
  }

  #dropExcess(capacity: Capacity): void {
    try {
      this.#log.append((batch) => capacity.makeRoom(batch, []))
      capacity.tell()
    } catch (error) {
      this.#report({ kind: 'failed', operation: 'evict', error })
    }
  }
}

/** Tells the lines of one tier from all others: the process id and eight random characters. */
function newMark(): string {
  const random = crypto.randomUUID().slice(0, 8)
  return `${String(process.pid).padStart(MARK_BYTES - 9, '0')}-${random}`
}
