import { systemClock, type Clock } from '../../clock.ts'
import type { Compression } from '../../codec/compression.ts'
import { selects, type Entry, type KeyInfo } from '../../entry.ts'
import { isTidemarkError } from '../../errors.ts'
import type { Key, Selector } from '../../key.ts'
import type { Capabilities, ChangeFeed, Claims, Lease, MaybePromise, Tier, TierHost, TierReport } from '../tier.ts'
import { Capacity } from './capacity.ts'
import { Changes } from './changes.ts'
import { SqliteClaims } from './claims.ts'
import type { Connection } from './connection.ts'
import { Database } from './database.ts'
import { Names } from './names.ts'
import { count, pages } from './query.ts'
import { FullDisk } from './full-disk.ts'
import { resolveOptions, type SqliteOptions } from './options.ts'
import { remove } from './remove.ts'
import { Reads } from './reads.ts'
import { inFile, infoOfRow, packRow, packRowLater, prepareRow, type PreparedRow } from './row.ts'
import { Sweeper } from './sweeper.ts'
import { store } from './upsert.ts'
import { FILE_VALUE_BYTES, ValueFiles } from '../value-files.ts'
import { CHANGE_PATIENCE_MS, Writer } from './writer.ts'

/** A loaded value is only stored if that is quick; it can be loaded again. */
const STORE_PATIENCE_MS = 100

/**
 * The embedded persistent tier: one SQLite file, shared by the processes of one machine. Reads are synchronous, writes
 * are committed in groups. Errors at construction: `invalid-option`, `unknown-option`; when the file is first opened:
 * `tier-foreign`, `tier-newer`. Any other trouble with the file is a state of the tier, not an exception.
 *
 * @example
 * createTidemark({ tiers: [memory(), sqlite({ path: 'data/cache.db', maxEntries: 1_000_000 })] })
 */
export function sqlite(options: SqliteOptions = {}): Tier {
  return new SqliteTier(options)
}

interface PendingSet {
  readonly entry: Entry
  overtaker: Promise<unknown> | undefined
}

class SqliteTier implements Tier {
  readonly name = 'sqlite'
  readonly capabilities: Capabilities
  readonly feed?: ChangeFeed
  readonly claims?: Claims
  readonly #compression: Compression | undefined
  readonly #maxEntryBytes: number
  readonly #inlineBytesMax: number
  readonly #database: Database
  readonly #names = new Names()
  readonly #changes: Changes
  readonly #writer: Writer
  readonly #capacity: Capacity
  readonly #fullDisk: FullDisk
  readonly #files: ValueFiles | undefined
  readonly #sweeper: Sweeper
  readonly #reads: Reads
  /** Explicit sets of large values on their way. */
  readonly #largeSets = new Set<PendingSet>()
  /** Everything that waits for the file of a value. */
  readonly #largeWrites = new Set<Promise<boolean>>()
  #clock: Clock = systemClock
  #report: (news: TierReport) => void = () => {}

  constructor(options: SqliteOptions) {
    const settings = resolveOptions(options)
    const inMemory = settings.path === ':memory:'
    const { compression } = settings
    this.#compression = compression
    this.#maxEntryBytes = settings.maxEntryBytes
    this.#inlineBytesMax = Math.min(FILE_VALUE_BYTES, settings.maxEntryBytes)
    this.capabilities = {
      persistent: !inMemory,
      shared: !inMemory,
      sync: true,
      maxEntryBytes: settings.maxEntryBytes,
      ...(compression && { compression }),
    }
    this.#capacity = new Capacity(settings)
    this.#database = new Database({ ...settings, tally: this.#capacity.isLimited })
    this.#changes = new Changes(this.#database)
    this.#changes.onUncertain = () => this.#names.clear()
    this.#database.onOpened = (connection) => this.#changes.start(connection)
    this.#database.onReplaced = () => this.#changes.reset()
    this.#writer = new Writer(this.#database, this.#names, this.#changes)
    this.#writer.afterWork = (connection) => this.#makeRoom(connection)
    this.#fullDisk = new FullDisk(this.#database, this.#names)
    this.#writer.onSetsRefused = (rows) => this.#fullDisk.removeReplaced(rows)
    this.#files = inMemory ? undefined : new ValueFiles(settings.path)
    this.#reads = new Reads({
      database: this.#database,
      names: this.#names,
      capacity: this.#capacity,
      files: this.#files,
      writer: this.#writer,
      clock: () => this.#clock,
      report: (news) => this.#report(news),
    })
    this.#sweeper = new Sweeper(this.#database, this.#writer, this.#names, this.#files, (name, count) =>
      this.#report({ kind: 'evicted', name, count, cause: 'ttl' }),
    )
    if (inMemory) return
    this.feed = this.#changes
    this.claims = new SqliteClaims(this.#writer, this.#names, () => this.#clock)
  }

  attach(host: TierHost): void {
    this.#clock = host.clock
    this.#report = (news) => host.report(news)
    this.#database.report = this.#report
    this.#database.readOnly = host.readOnly ?? false
    try {
      this.#database.open()
      if (!this.#database.readOnly) this.#files?.removeLeftovers()
    } catch (error) {
      // Someone else's file is a mistake of whoever chose the path; anything else may heal, and reads go on without it.
      if (isTidemarkError(error, 'tier-foreign') || isTidemarkError(error, 'tier-newer')) throw error
      this.#report({ kind: 'failed', operation: 'open', error })
    }
  }

  get(key: Key): MaybePromise<Entry | undefined> {
    return this.#reads.get(key)
  }

  lease(): Lease {
    return this.#changes.lease()
  }

  storeId(): string | undefined {
    try {
      return this.#database.open().uid
    } catch {
      return undefined
    }
  }

  put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
    const row = prepareRow(entry)
    if (lease !== undefined || this.#largeSets.size === 0) return this.#put(row, lease)
    return this.#overtaking({ kind: 'key', key: entry.key }, () => this.#put(row, lease))
  }

  remove(selector: Selector, staleAt?: number): Promise<number> {
    const write = (): Promise<number> =>
      this.#writer.write(CHANGE_PATIENCE_MS, (target) => remove(selector, staleAt, this.#clock.now(), target))
    return this.#overtaking(selector, () => write().catch((error: unknown) => this.#fullDisk.removeAgain(write, error)))
  }

  async *keys(selector: Selector): AsyncIterable<KeyInfo> {
    for await (const row of pages(selector, this.#clock, this.#database, this.#names)) {
      const name = this.#database.use((connection) => this.#names.nameOf(connection, row[0]))
      if (name !== undefined) yield infoOfRow(row, name)
    }
  }

  count(selector: Selector): Promise<number> {
    return count(selector, this.#clock, this.#database, this.#names)
  }

  sweep(now: number, limit: number): Promise<number> {
    return this.#sweeper.sweep(now, limit)
  }

  /** After what was asked for before: values whose file is being written, and writes that wait for the lock. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#largeWrites)
    await this.#writer.drain()
    this.#database.close()
  }

  #put(row: PreparedRow, lease: Lease | undefined): Promise<boolean> {
    // A unit of text takes up to three bytes; how many exactly is only asked where it could matter.
    const most = typeof row.value === 'string' ? row.bytes * 3 : row.bytes
    const isLarge = row.bytes > this.#inlineBytesMax || most > this.#maxEntryBytes
    if (!isLarge) return this.#putRow(packRow(row, this.#compression), lease)
    const written = this.#putLarge(row, lease).finally(() => this.#largeWrites.delete(written))
    this.#largeWrites.add(written)
    return written
  }

  #putRow(row: PreparedRow, lease: Lease | undefined): Promise<boolean> {
    if (lease === undefined) return this.#writer.set(row)
    return this.#writer.write(STORE_PATIENCE_MS, (target) => store(row, lease, this.#clock.now(), target))
  }

  /**
   * It is compressed and its file is written first, and that takes turns of the event loop: a change that was asked for
   * meanwhile wins.
   */
  async #putLarge(row: PreparedRow, lease: Lease | undefined): Promise<boolean> {
    const bytes = Buffer.byteLength(row.value)
    if (bytes > this.#maxEntryBytes) return this.#skip(row.entry.key, bytes)
    if (bytes <= FILE_VALUE_BYTES) return this.#putRow(packRow(row, this.#compression), lease)
    if (!this.#files && !this.#compression) return this.#putRow(row, lease)
    const pending: PendingSet = { entry: row.entry, overtaker: undefined }
    if (lease === undefined) this.#largeSets.add(pending)
    try {
      const ready = await this.#withFile(await packRowLater(row, this.#compression))
      if (pending.overtaker === undefined) return await this.#putRow(ready, lease)
      // Acknowledged when what took its place is; if that failed, it is the later change that counts.
      await pending.overtaker.catch(() => {})
      return true
    } finally {
      this.#largeSets.delete(pending)
    }
  }

  async #withFile(row: PreparedRow): Promise<PreparedRow> {
    const bytes = Buffer.byteLength(row.value)
    if (!this.#files || bytes <= FILE_VALUE_BYTES) return row
    return inFile(row, bytes, await this.#files.write(row.value))
  }

  /** A set whose file is still being written must not land after a later change of the same entry. */
  #overtaking<T>(selector: Selector, change: () => Promise<T>): Promise<T> {
    if (this.#largeSets.size === 0) return change()
    const earlier = [...this.#largeSets]
    const overtaker = change()
    for (const pending of earlier) if (selects(selector, pending.entry)) pending.overtaker = overtaker
    return overtaker
  }

  async #skip(key: Key, bytes: number): Promise<boolean> {
    // The older value may not stay in its place.
    await this.remove({ kind: 'key', key })
    this.#report({
      kind: 'skipped',
      key,
      why: 'too-large',
      message: `${bytes} bytes, the limit is ${this.#maxEntryBytes}`,
    })
    return true
  }

  #makeRoom(connection: Connection): void {
    this.#capacity.enforce(connection, (name, id) => {
      const text = this.#names.nameOf(connection, name) ?? ''
      this.#report({ kind: 'evicted', name: text, count: 1, cause: 'size', key: { name: text, id } })
    })
  }
}
