import { hasPassed, type Clock } from '../../clock.ts'
import type { Entry } from '../../entry.ts'
import type { Key, Selector } from '../../key.ts'
import { SLOT_OF_ALL, slotOfName, slotOfSelector } from '../../slot.ts'
import type { Eviction } from './eviction/eviction.ts'
import { Forgotten } from './forgotten.ts'
import { Groups } from './groups.ts'
import { Table } from './table.ts'

/** The rows of one name. */
interface NameRows {
  readonly number: number
  readonly byId: Map<string, number>
}

/** The table with its indexes: rows by name and key, by group, in eviction order. They change together, here only. */
export class Rows {
  readonly table: Table
  readonly #byName = new Map<string, NameRows>()
  readonly #groups = new Groups()
  readonly #forgotten = new Forgotten()
  readonly #eviction: Eviction
  clock: Clock
  /** The sum of the bytes of all rows, as far as they were measured. */
  bytes = 0

  /** For at most `rowsMax` rows. */
  constructor(eviction: Eviction, clock: Clock, rowsMax: number) {
    this.table = new Table(rowsMax)
    this.#eviction = eviction
    this.clock = clock
  }

  /** The rows of one name; the same map for ever, so that a front can hold it. */
  ofName(name: string): Map<string, number> {
    return this.#nameRows(name).byId
  }

  /** The row of a key, or -1. Rows that are past their time or changed elsewhere are not found. */
  find(key: Key): number {
    const row = this.rowOf(key)
    return row === -1 || !this.isServable(row) ? -1 : row
  }

  /** The row of a key, servable or not, or -1. */
  rowOf(key: Key): number {
    return this.#byName.get(key.name)?.byId.get(key.id) ?? -1
  }

  isServable(row: number): boolean {
    return !this.isForgotten(row) && !hasPassed(this.table.keepUntil(row), this.clock)
  }

  isForgotten(row: number): boolean {
    return this.#forgotten.has(row, this.table.hashes[row] as number)
  }

  /** Stores an entry in the row of its key, a new one if `at` is -1. */
  write(at: number, entry: Entry, hash: number): void {
    const { name } = entry.key
    if (at !== -1) this.#leaveGroups(at)
    const row = at === -1 ? this.#add(entry.key, hash) : at
    this.table.write(row, entry)
    this.#forgotten.written(row)
    this.#groups.add(row, name, entry)
    this.bytes += entry.bytes ?? 0
  }

  /** Takes a row out everywhere. */
  drop(row: number): void {
    this.#eviction.remove(row)
    this.release(row)
  }

  /** Takes a row out that the eviction policy has already forgotten. */
  release(row: number): void {
    this.#leaveGroups(row)
    this.#byName.get(this.table.nameOf(row))?.byId.delete(this.table.ids[row] as string)
    this.table.release(row)
  }

  /** The servable rows a selector means; by their real names, so a slot's collisions do not count. */
  select(selector: Selector): number[] {
    if (selector.kind === 'key') {
      const row = this.find(selector.key)
      return row === -1 ? [] : [row]
    }
    return this.#candidates(selector).filter((row) => this.#matches(row, selector) && this.isServable(row))
  }

  /** Drops what lies in the group of a slot now, and what lies under a key of that slot when it is next met. */
  forget(slots: readonly number[]): void {
    this.#forgotten.add(slots, this.table.capacity)
    for (const slot of slots) {
      for (const row of this.#groups.rows(slot)) this.drop(row)
      for (const [name, { byId }] of this.#byName) {
        if (slot === SLOT_OF_ALL || slotOfName(name) === slot) for (const row of [...byId.values()]) this.drop(row)
      }
    }
  }

  clear(): void {
    for (const { byId } of this.#byName.values()) for (const row of [...byId.values()]) this.drop(row)
  }

  #nameRows(name: string): NameRows {
    let rows = this.#byName.get(name)
    if (!rows) this.#byName.set(name, (rows = { number: this.table.addName(name), byId: new Map() }))
    return rows
  }

  #add({ name, id }: Key, hash: number): number {
    const rows = this.#nameRows(name)
    const { capacity } = this.table
    const row = this.table.allocate(rows.number, id, hash)
    if (this.table.capacity !== capacity) {
      this.#eviction.grow(this.table.capacity, this.table.hashes)
      this.#forgotten.grow(this.table.capacity)
    }
    rows.byId.set(id, row)
    this.#eviction.add(row)
    return row
  }

  #leaveGroups(row: number): void {
    const extra = this.table.extra(row)
    if (extra !== undefined) this.#groups.remove(row, this.table.nameOf(row), extra)
    this.bytes -= this.table.bytes(row) ?? 0
  }

  #candidates(selector: Exclude<Selector, { kind: 'key' }>): number[] {
    switch (selector.kind) {
      case 'name':
        return [...(this.#byName.get(selector.name)?.byId.values() ?? [])]
      case 'all':
        return [...this.#byName.values()].flatMap(({ byId }) => [...byId.values()])
      default:
        return this.#groups.rows(slotOfSelector(selector))
    }
  }

  #matches(row: number, selector: Selector): boolean {
    const extra = this.table.extra(row)
    switch (selector.kind) {
      case 'scope':
        return (
          extra?.scope === selector.scope && (selector.name === undefined || this.table.nameOf(row) === selector.name)
        )
      case 'era':
        return extra?.scope === selector.scope && extra.era === selector.era
      case 'tag':
        return extra?.tags?.includes(selector.tag) === true
      default:
        return true
    }
  }
}
