import { hasPassed, systemClock } from '../../clock.ts'
import { staleFrom, type Entry, type KeyInfo } from '../../entry.ts'
import { invalidOption, refuseUnknown } from '../../errors.ts'
import type { Key, Selector } from '../../key.ts'
import type { EvictionCause } from '../../observe/event.ts'
import { CLOCK_SKEW_MS_MAX } from '../../policy/judge.ts'
import { hashOfKey, slotOfKey, slotOfHash, slotOfSelector } from '../../slot.ts'
import { Slots } from '../slots.ts'
import type { Capabilities, ChangedSlots, Front, Lease, Tier, TierHost, TierReport } from '../tier.ts'
import { EVICTIONS, type Eviction, type EvictionName } from './eviction/eviction.ts'
import { Fifo } from './eviction/fifo.ts'
import { Lfu } from './eviction/lfu.ts'
import { Lru } from './eviction/lru.ts'
import { S3Fifo } from './eviction/s3-fifo.ts'
import { MemoryFront } from './front.ts'
import { Rows } from './rows.ts'
import { sizeOf } from './size.ts'

/** Defaults to this many entries. */
export const DEFAULT_MEMORY_MAX_ENTRIES = 10_000

/** Options of {@link memory}. */
export interface MemoryOptions {
  /** At most so many entries. Defaults to 10 000; to `Infinity` when `maxBytes` is given. */
  readonly maxEntries?: number | undefined
  /** At most about so many bytes of values, as far as they can be measured. Defaults to `Infinity`. */
  readonly maxBytes?: number | undefined
  /** Who leaves when it is full. Defaults to `s3-fifo`; `lru`, `fifo` and `lfu` (W-TinyLFU) are what they say. */
  readonly eviction?: EvictionName | undefined
  /** Called after an entry left for want of room. What it throws changes nothing and is reported as an event. */
  readonly onEvict?: ((key: Key, entry: Entry, cause: EvictionCause) => void) | undefined
}

/**
 * The tier in this process's memory: shares values by reference, answers synchronously, evicts by S3-FIFO.
 * Errors: `invalid-option`, `unknown-option`.
 *
 * @example
 * createTidemark({ tiers: [memory({ maxEntries: 50_000, maxBytes: 256 * 1024 * 1024 })] })
 */
export function memory(options: MemoryOptions = {}): Tier {
  return new MemoryTier(options)
}

class MemoryTier implements Tier {
  readonly name = 'memory'
  readonly capabilities: Capabilities = { persistent: false, shared: false, sync: true }
  readonly #eviction: Eviction
  readonly #rows: Rows
  readonly #slots = new Slots()
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #onEvict: MemoryOptions['onEvict']
  #sequence = 0
  #sweepAt = 0
  #report: (news: TierReport) => void = () => {}

  constructor(options: MemoryOptions) {
    refuseUnknown('memory()', options, ['maxEntries', 'maxBytes', 'eviction', 'onEvict'])
    const { maxEntries, maxBytes = Number.POSITIVE_INFINITY, eviction = 's3-fifo', onEvict } = options
    const bounded = maxBytes !== Number.POSITIVE_INFINITY
    this.#maxEntries = limit(
      'memory.maxEntries',
      maxEntries ?? (bounded ? Number.POSITIVE_INFINITY : DEFAULT_MEMORY_MAX_ENTRIES),
    )
    this.#maxBytes = limit('memory.maxBytes', maxBytes)
    if (onEvict !== undefined && typeof onEvict !== 'function')
      throw invalidOption('memory.onEvict', 'a function', onEvict)
    this.#onEvict = onEvict
    this.#eviction = evictionOf(eviction)
    // One more than the limit: room is made when the newcomer is in.
    this.#rows = new Rows(this.#eviction, systemClock, this.#maxEntries + 1)
  }

  attach(host: TierHost): void {
    this.#rows.clock = host.clock
    this.#report = (news) => host.report(news)
  }

  front(name: string): Front {
    return new MemoryFront(this.#rows, this.#eviction, name)
  }

  get(key: Key): Entry | undefined {
    const row = this.#rows.find(key)
    if (row === -1) return undefined
    this.#eviction.hit(row)
    return this.#rows.table.entry(row)
  }

  lease(): Lease {
    return this.#sequence
  }

  put(entry: Entry, lease?: Lease): boolean {
    const { key } = entry
    const hash = hashOfKey(key)
    const slot = slotOfHash(hash)
    const row = this.#rows.rowOf(key)
    if (lease === undefined) this.#slots.touch(slot, ++this.#sequence)
    else if (!this.#slots.holds(entry, lease, slot) || this.#isNewer(row, entry)) return false

    const measured = this.#maxBytes === Number.POSITIVE_INFINITY ? entry : this.#measure(entry)
    if ((measured.bytes ?? 0) > this.#maxBytes) {
      this.#skip(row, measured)
      return true
    }
    this.#rows.write(row, measured, hash)
    this.#makeRoom()
    return true
  }

  remove(selector: Selector, staleAt?: number): number {
    this.#slots.touch(slotOfSelector(selector), ++this.#sequence)
    const rows = this.#rows.select(selector)
    if (staleAt !== undefined) return rows.filter((row) => this.#markStale(row, staleAt)).length
    for (const row of rows) this.#rows.drop(row)
    return rows.length
  }

  async *keys(selector: Selector): AsyncIterable<KeyInfo> {
    const { table } = this.#rows
    for (const row of this.#rows.select(selector)) if (table.isLive(row)) yield table.info(row)
  }

  count(selector: Selector): number {
    return this.#rows.select(selector).length
  }

  sweep(now: number, limit: number): number {
    const { table } = this.#rows
    let dropped = 0
    // A slice of the rows each time, so that a sweep over millions does not hold up the process.
    const rows = Math.min(table.rows, limit * 10)
    for (let n = 0; n < rows && dropped < limit; n++) {
      const row = this.#sweepAt++ % table.rows
      if (!table.isLive(row) || now < table.keepUntil(row)) continue
      this.#report({ kind: 'evicted', name: table.nameOf(row), count: 1, cause: 'ttl' })
      this.#rows.drop(row)
      dropped++
    }
    return dropped
  }

  forget(changed: ChangedSlots): void {
    this.#sequence++
    if (changed === 'all') {
      this.#slots.touchAll(this.#sequence)
      this.#rows.clear()
      return
    }
    for (const slot of changed) this.#slots.touch(slot, this.#sequence)
    this.#rows.forget(changed)
  }

  settled({ key, value }: Entry): void {
    this.#slots.touch(slotOfKey(key), ++this.#sequence)
    const row = this.#rows.find(key)
    if (row !== -1 && this.#rows.table.entry(row).value !== value) this.#rows.drop(row)
  }

  close(): void {
    this.#rows.clear()
  }

  /** True when what is here was loaded after the entry; what is from the future (a clock stepped back) is not trusted. */
  #isNewer(row: number, entry: Entry): boolean {
    if (row === -1 || !this.#rows.isServable(row)) return false
    const loadedAt = this.#rows.table.loadedAt[row] as number
    return loadedAt > entry.loadedAt && loadedAt <= this.#rows.clock.now() + CLOCK_SKEW_MS_MAX
  }

  #measure(entry: Entry): Entry {
    return entry.bytes === undefined ? { ...entry, bytes: sizeOf(entry.value) } : entry
  }

  #skip(row: number, entry: Entry): void {
    // The older value may not stay in its place.
    if (row !== -1) this.#rows.drop(row)
    const message = `${entry.bytes} bytes, the limit is ${this.#maxBytes}`
    this.#report({ kind: 'skipped', key: entry.key, why: 'too-large', message })
  }

  #makeRoom(): void {
    const { table } = this.#rows
    while (table.live > this.#maxEntries || this.#rows.bytes > this.#maxBytes) {
      const row = this.#eviction.evict()
      if (row === -1) return
      const key = table.key(row)
      const cause = hasPassed(table.keepUntil(row), this.#rows.clock) ? 'ttl' : 'size'
      const entry = this.#onEvict ? table.entry(row) : undefined
      this.#rows.release(row)
      this.#report({ kind: 'evicted', name: key.name, count: 1, cause, key })
      if (entry) this.#tellEvicted(entry, cause)
    }
  }

  #tellEvicted(entry: Entry, cause: EvictionCause): void {
    try {
      this.#onEvict?.(entry.key, entry, cause)
    } catch (error) {
      this.#report({ kind: 'failed', operation: 'onEvict', error })
    }
  }

  /** False when it was stale already. */
  #markStale(row: number, at: number): boolean {
    const entry = this.#rows.table.entry(row)
    const stale = staleFrom(entry, at)
    if (stale === entry) return false
    this.#rows.table.write(row, stale)
    return true
  }
}

function evictionOf(name: EvictionName): Eviction {
  switch (name) {
    case 's3-fifo':
      return new S3Fifo()
    case 'lru':
      return new Lru()
    case 'fifo':
      return new Fifo()
    case 'lfu':
      return new Lfu()
    default:
      throw invalidOption('memory.eviction', `one of ${EVICTIONS.join(', ')}`, name)
  }
}

function limit(option: string, value: unknown): number {
  if (typeof value === 'number' && value >= 1 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY))
    return value
  throw invalidOption(option, 'a whole number from 1, or Infinity', value)
}
