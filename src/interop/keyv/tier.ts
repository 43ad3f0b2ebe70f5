import { systemClock, type Clock } from '../../clock.ts'
import { withValue } from '../../codec/stored.ts'
import { encodeValue, type Encoded } from '../../codec/value.ts'
import { staleFrom, type Entry, type KeyInfo } from '../../entry.ts'
import { TidemarkError, isTidemarkError } from '../../errors.ts'
import type { Key, Selector } from '../../key.ts'
import { CLOCK_SKEW_MS_MAX } from '../../policy/judge.ts'
import { slotOfKey, slotOfSelector } from '../../slot.ts'
import { Slots } from '../../tier/slots.ts'
import type { Capabilities, Lease, Tier, TierHost, TierReport } from '../../tier/tier.ts'
import { Directory, newRow, type Row } from './directory.ts'
import { Lanes } from './lanes.ts'
import { findRows, placeOf } from './loading.ts'
import { resolveKeyvTier, type KeyvTierOptions, type KeyvTierSettings } from './options.ts'
import { entryOfRecord, infoOf, recordOf } from './record.ts'
import { Storage, type KeyvStorage } from './storage.ts'
import { Writes } from './writes.ts'

/** How often a read begins again because its entry changed meanwhile. */
const ATTEMPTS = 3

/**
 * A storage adapter of Keyv 5 or 6, or a `Map`, as a tier: for stores this package has no tier for. It is this process's
 * alone, because a Keyv store cannot count changes, nor tell of them: what lies in it is known from a directory in memory,
 * which is read once when it is first used. Errors: `invalid-option`, `unknown-option`; any trouble with the store is a
 * state of the tier, not an exception.
 *
 * @example
 * createTidemark({ tiers: [memory(), keyvTier(new KeyvSqlite('sqlite://data/cache.sqlite'))] })
 */
export function keyvTier(store: KeyvStorage, options: KeyvTierOptions = {}): Tier {
  return new KeyvTier(store, resolveKeyvTier(store, options))
}

class KeyvTier implements Tier {
  readonly name = 'keyv'
  readonly capabilities: Capabilities
  readonly #settings: KeyvTierSettings
  readonly #storage: Storage
  readonly #directory = new Directory()
  readonly #lanes = new Lanes()
  readonly #writes: Writes
  readonly #slots = new Slots()
  readonly #origin = crypto.randomUUID().slice(0, 8)
  #sequence = 0
  #stamps = 0
  #loaded: Promise<void> | undefined
  #clock: Clock = systemClock
  #report: (news: TierReport) => void = () => {}

  constructor(store: KeyvStorage, settings: KeyvTierSettings) {
    const { persistent, maxEntryBytes, compression } = settings
    this.capabilities = { persistent, shared: false, sync: false, maxEntryBytes, ...(compression && { compression }) }
    this.#settings = settings
    this.#storage = new Storage(store, (error) => this.#report({ kind: 'failed', operation: 'connection', error }))
    this.#writes = new Writes({
      settings,
      storage: this.#storage,
      directory: this.#directory,
      lanes: this.#lanes,
      now: () => this.#clock.now(),
      report: (news) => this.#report(news),
    })
  }

  attach(host: TierHost): void {
    this.#clock = host.clock
    this.#report = (news) => host.report(news)
    // Begun at once; whoever comes first waits for it, and hears when it fails.
    this.#ready().catch(() => {})
  }

  async get(key: Key): Promise<Entry | undefined> {
    await this.#ready()
    const at = this.#placeOf(key)
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const row = this.#directory.find(at)
      if (!row || this.#clock.now() >= row.info.keepUntil) return undefined
      await this.#lanes.settled(at)
      const { info } = row
      const text = await this.#storage.get(at)
      if (this.#directory.find(at) === row && row.info === info && !this.#lanes.settled(at))
        return this.#read(row, text)
    }
    return undefined
  }

  /** Counts the changes of this process: nobody else's can be known. */
  lease(): Lease {
    return this.#sequence
  }

  /** A value that cannot be stored is refused in this turn: before another tier has it. */
  put(entry: Entry, lease?: Lease): Promise<boolean> {
    return this.#put(entry, encodeValue(entry.value), lease)
  }

  async remove(selector: Selector, staleAt?: number): Promise<number> {
    await this.#ready()
    this.#touch(slotOfSelector(selector))
    return staleAt === undefined ? this.#removeAll(selector) : this.#markAll(selector, staleAt)
  }

  async *keys(selector: Selector): AsyncIterable<KeyInfo> {
    await this.#ready()
    yield* this.#select(selector).map(({ info }) => info)
  }

  async count(selector: Selector): Promise<number> {
    await this.#ready()
    return this.#select(selector).length
  }

  async sweep(now: number, limit: number): Promise<number> {
    await this.#ready()
    const counts = new Map<string, number>()
    const leaving: Promise<void>[] = []
    let swept = 0
    for (const row of this.#directory.rows()) {
      if (leaving.length >= limit) break
      const isPast = row.isLive && row.info.keepUntil <= now
      // What was removed and is still there is tried again.
      if (!isPast && (row.isLive || row.leaving)) continue
      if (isPast) {
        const { name } = row.info.key
        counts.set(name, (counts.get(name) ?? 0) + 1)
        swept++
      }
      leaving.push(this.#writes.drop(row))
    }
    for (const [name, count] of counts) this.#report({ kind: 'evicted', name, count, cause: 'ttl' })
    await allDone(leaving)
    return swept
  }

  /** After what was asked for before. The store stays open: it is whoever's made it. */
  async close(): Promise<void> {
    await this.#loaded?.catch(() => {})
    await this.#lanes.drained()
    this.#storage.release()
  }

  async #put(entry: Entry, encoded: Encoded, lease: Lease | undefined): Promise<boolean> {
    const bytes = Buffer.byteLength(encoded.data)
    await this.#ready()
    // From here to the lane in one go: the order in which changes are asked for is that in which they are decided.
    if (bytes > this.#settings.maxEntryBytes) return this.#skip(entry.key, bytes)
    if (lease === undefined) this.#touch(slotOfKey(entry.key))
    else if (!this.#slots.holds(entry, lease) || this.#hasNewer(entry)) return false
    if (entry.keepUntil <= this.#clock.now()) {
      if (lease === undefined) await this.#removeAll({ kind: 'key', key: entry.key })
      return true
    }
    const at = this.#placeOf(entry.key)
    const row = newRow(at, `${this.#origin}${(this.#stamps++).toString(36)}`, infoOf(entry, bytes))
    this.#directory.set(row)
    const stored = this.#writes.store(row, entry, encoded)
    this.#writes.makeRoom()
    await stored
    return true
  }

  /** Reads what lies in the store, once; after a failure with the next operation again. */
  #ready(): Promise<void> {
    return (this.#loaded ??= this.#load().catch((error: unknown) => {
      this.#loaded = undefined
      throw error
    }))
  }

  async #load(): Promise<void> {
    const { persistent, prefix } = this.#settings
    if (!persistent) return
    for (const row of await findRows(this.#storage, prefix, this.#report)) this.#directory.set(row)
  }

  async #read(row: Row, text: unknown): Promise<Entry | undefined> {
    const { key, keepUntil } = row.info
    try {
      // The store let it go by itself.
      if (text === undefined) return undefined
      const record = recordOf(text)
      if (!record) throw new TidemarkError('tier-corrupt', 'What lies in the place of a record is none.')
      // It has not taken what was set.
      if (record.head.stamp !== row.stamp) return undefined
      row.isVisited = true
      const entry = await withValue(entryOfRecord(record, row.info))
      return this.#clock.now() < keepUntil ? entry : undefined
    } catch (error) {
      this.#report({ kind: 'corrupt', key, message: error instanceof Error ? error.message : String(error) })
      if (!isTidemarkError(error, 'tier-newer')) this.#writes.dropBehind(row)
      return undefined
    }
  }

  async #removeAll(selector: Selector): Promise<number> {
    const now = this.#clock.now()
    const rows = this.#rowsOf(selector)
    const count = rows.filter((row) => row.isLive && now < row.info.keepUntil).length
    await allDone(rows.map((row) => this.#writes.drop(row)))
    return count
  }

  /** Marks in the directory at once, and in the store one by one. */
  async #markAll(selector: Selector, staleAt: number): Promise<number> {
    const now = this.#clock.now()
    const rows = this.#rowsOf(selector).filter((row) => row.isLive && now < row.info.keepUntil)
    const fresh = rows.filter((row) => row.info.freshUntil > staleAt)
    for (const row of fresh) {
      row.info = infoOf(staleFrom({ ...row.info, value: undefined }, staleAt))
      row.isUnsaved = true
    }
    // Those the store did not hear of are told again.
    const unsaved = rows.filter((row) => row.isUnsaved)
    await allDone(unsaved.map((row) => (now < row.info.keepUntil ? this.#writes.mark(row) : this.#writes.drop(row))))
    return fresh.length
  }

  async #skip(key: Key, bytes: number): Promise<boolean> {
    // The older value may not stay in its place.
    this.#touch(slotOfKey(key))
    await this.#removeAll({ kind: 'key', key })
    const message = `${bytes} bytes, the limit is ${this.#settings.maxEntryBytes}`
    this.#report({ kind: 'skipped', key, why: 'too-large', message })
    return true
  }

  #hasNewer({ key, loadedAt }: Entry): boolean {
    const stored = this.#directory.find(this.#placeOf(key))?.info
    return (
      stored !== undefined && stored.loadedAt > loadedAt && stored.loadedAt <= this.#clock.now() + CLOCK_SKEW_MS_MAX
    )
  }

  #rowsOf(selector: Selector): Row[] {
    if (selector.kind !== 'key') return this.#directory.select(selector)
    const row = this.#directory.at(this.#placeOf(selector.key))
    return row ? [row] : []
  }

  #select(selector: Selector): Row[] {
    const now = this.#clock.now()
    return this.#rowsOf(selector).filter((row) => row.isLive && now < row.info.keepUntil)
  }

  #touch(slot: number): void {
    this.#slots.touch(slot, ++this.#sequence)
  }

  #placeOf(key: Key): string {
    return placeOf(this.#settings.prefix, key)
  }
}

/** Waits for all of them, whatever becomes of the first; throws what went wrong first. */
async function allDone(operations: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(operations)) if (outcome.status === 'rejected') throw outcome.reason
}
