import type { Clock } from '../../clock.ts'
import type { Entry } from '../../entry.ts'
import type { Key, Selector } from '../../key.ts'
import { SLOTS, SLOT_OF_ALL, slotOfHash, slotOfName, slotOfSelector } from '../../slot.ts'
import type { Eviction } from './eviction/eviction.ts'
import { Groups } from './groups.ts'
import { Table } from './table.ts'

/** The table with its indexes: rows by name and key, by group, in eviction order. They change together, here only. */
export class Rows {
  readonly table: Table = new Table()
  readonly #byName = new Map<string, Map<string, number>>()
  readonly #groups = new Groups()
  readonly #eviction: Eviction
  clock: Clock
  /** The sum of the bytes of all rows, as far as they were measured. */
  bytes = 0
  // Rows that other processes changed are settled when they are next met: one number per slot and one per row.
  #forgotten: Float64Array | undefined
  #forgets = 0

  constructor(eviction: Eviction, clock: Clock) {
    this.#eviction = eviction
    this.clock = clock
  }

  /** The rows of one name; the same map for ever, so that a front can hold it. */
  ofName(name: string): Map<string, number> {
    let rows = this.#byName.get(name)
    if (!rows) this.#byName.set(name, (rows = new Map()))
    return rows
  }

  /** The row of a key, or -1. Rows that are past their time or changed elsewhere are not found. */
  find(key: Key): number {
    const row = this.#byName.get(key.name)?.get(key.id)
    return row === undefined || !this.isServable(row) ? -1 : row
  }

  isServable(row: number): boolean {
    return !this.isForgotten(row) && this.clock.now() < (this.table.keepUntil[row] as number)
  }

  isForgotten(row: number): boolean {
    if (this.#forgotten === undefined) return false
    return (this.#forgotten[slotOfHash(this.table.hashes[row] as number)] as number) > (this.table.mark[row] as number)
  }

  /** Stores an entry in its row, a new one if there is none. */
  write(entry: Entry, hash: number): void {
    const { name, id } = entry.key
    const names = this.ofName(name)
    let row = names.get(id)
    if (row === undefined) {
      const capacity = this.table.capacity
      row = this.table.allocate(name, id, hash)
      if (this.table.capacity !== capacity) this.#eviction.grow(this.table.capacity)
      names.set(id, row)
      this.#eviction.add(row, hash)
    } else {
      this.#leaveGroups(row)
    }
    this.table.write(row, entry, this.#forgets)
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
    this.#byName.get(this.table.names[row] as string)?.delete(this.table.ids[row] as string)
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
    this.#forgotten ??= new Float64Array(SLOTS)
    this.#forgets++
    for (const slot of slots) {
      this.#forgotten[slot] = this.#forgets
      for (const row of this.#groups.rows(slot)) this.drop(row)
      for (const [name, rows] of this.#byName) {
        if (slot === SLOT_OF_ALL || slotOfName(name) === slot) for (const row of [...rows.values()]) this.drop(row)
      }
    }
  }

  clear(): void {
    for (const rows of this.#byName.values()) for (const row of [...rows.values()]) this.drop(row)
  }

  #leaveGroups(row: number): void {
    const extra = this.table.extras[row]
    if (extra === undefined) return
    this.#groups.remove(row, this.table.names[row] as string, extra)
    this.bytes -= extra.bytes ?? 0
  }

  #candidates(selector: Exclude<Selector, { kind: 'key' }>): number[] {
    switch (selector.kind) {
      case 'name':
        return [...(this.#byName.get(selector.name)?.values() ?? [])]
      case 'all':
        return [...this.#byName.values()].flatMap((rows) => [...rows.values()])
      default:
        return this.#groups.rows(slotOfSelector(selector))
    }
  }

  #matches(row: number, selector: Selector): boolean {
    const extra = this.table.extras[row]
    switch (selector.kind) {
      case 'scope':
        return (
          extra?.scope === selector.scope && (selector.name === undefined || this.table.names[row] === selector.name)
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
