import type { Clock } from '../../clock.ts'
import type { Entry } from '../../entry.ts'
import type { Key, Selector } from '../../key.ts'
import { CLOCK_SKEW_MS_MAX } from '../../policy/judge.ts'
import { slotOfKey, slotOfSelector } from '../../slot.ts'
import { Slots } from '../slots.ts'
import type { Lease, TierReport } from '../tier.ts'
import { Aside } from './aside.ts'
import { Catalog } from './catalog.ts'
import { ClaimTable } from './claim-table.ts'
import { damageOf, slotsOf } from './damage.ts'
import { isBase, startOf } from './file-id.ts'
import { refuseNewer } from './format.ts'
import type { Group } from './group.ts'
import { KeyHash, slotOfKeyHash } from './key-hash.ts'
import { hasMark, type LineHead } from './line.ts'
import { keyOf, keysOf, numberOf, selectorOf } from './record.ts'
import type { LineSink, LogRecord } from './scan.ts'
import { NONE } from './table.ts'
import { bodyOf, valueAt } from './value-text.ts'

/** The file a replica is reading. */
export interface ReadFile {
  readonly id: number
  readonly path: string
  /** The change sequence at its beginning; a base has none, its lines are settled. */
  readonly start: number | undefined
}

/** Whose lines are read: of the past, only our own, or everybody's. */
export type Authors = 'past' | 'own' | 'all'

/**
 * What follows from the lines read so far. Every process reads the same lines in the same order and comes to the same
 * state, so nothing has to be agreed on: where a line came to lie decides what it means.
 */
export class Replica implements LineSink {
  catalog: Catalog = new Catalog()
  hash: KeyHash = new KeyHash(0)
  readonly claims: ClaimTable = new ClaimTable()
  readonly aside: Aside = new Aside()
  /** What became of our own lines, in order, since it was last emptied. */
  outcomes: unknown[] = []
  /** Slots others changed, since it was last emptied. */
  news: number[] = []
  /** Who ended the file that is read: nothing behind that counts. */
  endedBy: string | undefined
  authors: Authors = 'past'
  /** Another process ended the live segment. */
  onEnd: () => void = () => {}
  /** Another process settled the segments up to this one. */
  onBase: (segment: number) => void = () => {}
  report: (news: TierReport) => void = () => {}
  readonly #mark: string
  readonly #markBytes: Buffer
  readonly #clock: () => Clock
  readonly #slots = new Slots()
  #file: ReadFile = { id: 0, path: '', start: undefined }
  /** Added to the sequence of the files: another folder starts over, and leases of the old one must not hold in it. */
  #epoch = 0
  #sequence = 0
  #lastChange = 0

  constructor(mark: string, clock: () => Clock) {
    this.#mark = mark
    this.#markBytes = Buffer.from(mark, 'latin1')
    this.#clock = clock
  }

  /** The change sequence as far as it was taken in, as leases have it. */
  get sequence(): number {
    return this.#epoch + this.#sequence
  }

  /** The same, as lines have it. */
  get seen(): number {
    return this.#sequence
  }

  /** Forgets everything. `isOther`: the sequence starts over too. */
  clear(seed: number, isOther: boolean): void {
    if (isOther) {
      this.#epoch += this.#sequence + 1
      this.#sequence = 0
    }
    this.catalog = new Catalog()
    this.hash = new KeyHash(seed)
    this.claims.clear()
    this.aside.clear()
    this.authors = 'past'
  }

  /** Leases from before do not hold: what changed meanwhile was not seen. */
  distrustLeases(): void {
    this.#slots.touchAll(this.sequence)
    this.#lastChange = this.sequence
  }

  begin(file: ReadFile): void {
    this.#file = file
    this.endedBy = undefined
  }

  /** The lines before `offset` were taken in. */
  reached(offset: number): void {
    if (this.#file.start !== undefined) this.#sequence = this.#file.start + offset
  }

  holds(entry: Entry, lease: Lease): boolean {
    return this.#slots.holds(entry, lease)
  }

  entry(head: LineHead, buffer: Buffer, at: number, offset: number): void {
    let group: Group
    let stored: boolean
    try {
      group = this.catalog.groups.ofLine(buffer, at, at + head.size)
      stored = head.op === 'set' || this.#mayAdd(head, group, buffer, at)
    } catch {
      // Its numbers are whole, what follows them is not.
      this.poison(buffer.subarray(at, at + head.size), offset)
      return
    }
    if (stored) this.catalog.place(head, this.#file.id, offset, group)
    else if (group.newest === NONE) this.catalog.groups.drop(group)
    const isOurs = this.authors === 'own' || (this.authors === 'all' && hasMark(buffer, at, this.#markBytes))
    if (isOurs) this.outcomes.push(stored)
    if (head.op === 'set') this.#changed(slotOfKeyHash(head.hash), offset + head.size, isOurs)
  }

  record(record: LogRecord, buffer: Buffer, at: number, size: number, offset: number): boolean {
    const isOurs = this.authors !== 'past' && record['by'] === this.#mark
    switch (record['op']) {
      case 'head':
        refuseNewer(record['format'], this.#file.path)
        return true
      case 'end':
        this.endedBy = String(record['by'])
        if (isOurs) this.outcomes.push(true)
        else if (this.authors === 'all') this.onEnd()
        return false
      case 'base':
        if (isOurs) this.outcomes.push(true)
        else if (this.authors === 'all') this.onBase(numberOf(record['segment']))
        return true
      case 'drop':
        this.#drop(record)
        if (isOurs) this.outcomes.push(true)
        return true
      case 'claim':
      case 'release': {
        const outcome = this.#claim(record, offset + size, isOurs)
        if (isOurs) this.outcomes.push(outcome)
        return true
      }
      case 'remove':
      case 'mark': {
        const selector = selectorOf(record)
        if (!selector) break
        const count = this.#remove(selector, record['op'] === 'mark' ? numberOf(record['staleAt']) : undefined)
        this.#changed(slotOfSelector(selector), offset + size, isOurs)
        if (isOurs) this.outcomes.push(count)
        return true
      }
    }
    this.poison(buffer.subarray(at, at + size), offset)
    return true
  }

  torn(line: Buffer, offset: number): void {
    this.aside.keep(line)
    const { path } = this.#file
    const message = `${path}: the line of ${line.byteLength} bytes at byte ${offset} was never finished`
    this.report({ kind: 'corrupt', key: undefined, message })
  }

  /** Skipped, counted, kept aside. An older value of what it was about may not be found in its place. */
  poison(line: Buffer, offset: number): void {
    this.aside.keep(line)
    const damage = damageOf(line)
    const { key, hash, selector, slot } = damage
    if (selector) this.#remove(selector, undefined)
    if (key) this.#remove({ kind: 'key', key }, undefined)
    if (hash !== undefined) this.catalog.removeHash(hash)
    if (slot !== undefined) this.catalog.removeSlot(slot)
    // Nor may one that was loaded before come behind it.
    for (const it of slotsOf(damage)) this.#changed(it, offset + line.byteLength, false)
    this.report({
      kind: 'corrupt',
      key,
      message: `${this.#file.path}: the line of ${line.byteLength} bytes at byte ${offset} is damaged or not ours`,
    })
  }

  hashOf(selector: Selector): number | undefined {
    return selector.kind === 'key' ? this.hash.of(selector.key) : undefined
  }

  #mayAdd(head: LineHead, group: Group, buffer: Buffer, at: number): boolean {
    const { start } = this.#file
    // Settled when the base was written.
    if (start === undefined) return true
    if (head.seen < start) return false
    const { catalog } = this
    const row = catalog.table.find(head.hash)
    const before = row === NONE ? 0 : (catalog.table.loadedAt[row] as number)
    if (before <= head.loadedAt && this.#lastChange <= this.#epoch + head.seen) return true
    const body = bodyOf(buffer, at, valueAt(head))
    // Never over an entry that was loaded later, unless that one comes from a clock that was ahead.
    if (before > head.loadedAt && before <= (body.at ?? head.loadedAt) + CLOCK_SKEW_MS_MAX) return false
    const key: Key = { name: body.name, id: body.key }
    return this.#slots.holds({ ...group, key } as unknown as Entry, this.#epoch + head.seen)
  }

  #changed(slot: number, end: number, isOurs: boolean): void {
    const { start } = this.#file
    if (start === undefined) return
    this.#lastChange = this.#epoch + start + end
    this.#slots.touch(slot, this.#lastChange)
    if (!isOurs && this.authors === 'all') this.news.push(slot)
  }

  #remove(selector: Selector, staleAt: number | undefined): number {
    const { catalog } = this
    const now = this.#clock().now()
    const hash = this.hashOf(selector)
    let count = 0
    for (const row of catalog.rowsOf(selector, hash)) {
      const isLive = now < (catalog.table.keepUntil[row] as number)
      if (staleAt === undefined) catalog.remove(row)
      else if (!catalog.markStale(row, staleAt)) continue
      if (isLive) count++
    }
    // Whoever loads a removed key now loads in vain; nobody should wait for it.
    this.claims.release(hash)
    return count
  }

  /** Entries that had to leave: no change of what is true. One that was written again since stays. */
  #drop(record: LogRecord): void {
    const { table } = this.catalog
    for (const key of keysOf(record)) {
      const row = table.find(this.hash.of(key))
      if (row !== NONE && this.#sequenceOf(row) < numberOf(record['seen'])) this.catalog.remove(row)
    }
  }

  /** When the row's line was written; every line of a base is older than what follows it. */
  #sequenceOf(row: number): number {
    const file = this.catalog.table.file[row] as number
    return isBase(file) ? 0 : startOf(file) + (this.catalog.table.offset[row] as number)
  }

  #claim(record: LogRecord, end: number, isOurs: boolean): boolean {
    const key = keyOf(record)
    if (!key) return false
    const hash = this.hash.of(key)
    const owner = String(record['owner'])
    if (record['op'] === 'release') return this.claims.release(hash, owner)
    const isGranted = this.claims.acquire(
      hash,
      { key, owner, until: numberOf(record['until']) },
      numberOf(record['at']),
    )
    // The earlier holder may still come, late: the slot moves, so its lease no longer holds (contract C2, `holder-killed`).
    if (isGranted && record['takeover'] === true) this.#changed(slotOfKey(key), end, isOurs)
    return isGranted
  }
}
