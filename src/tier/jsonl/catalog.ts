import { selects } from '../../entry.ts'
import type { Selector } from '../../key.ts'
import { SLOT_OF_ALL, slotOfName, slotsOfGroups } from '../../slot.ts'
import type { Group } from './group.ts'
import { Groups } from './groups.ts'
import { slotOfKeyHash } from './key-hash.ts'
import type { LineHead } from './line.ts'
import { NONE, Table } from './table.ts'

/** Which entry's line lies where: the index of a folder, kept in memory. Rows are in the order they were first inserted. */
export class Catalog {
  readonly table: Table = new Table()
  readonly groups: Groups = new Groups()
  #entries = 0
  #bytes = 0
  #lineBytes = 0
  #oldest = NONE
  #newest = NONE

  get entries(): number {
    return this.#entries
  }

  /** Bytes of encoded values. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes of lines that are not dead. */
  get lineBytes(): number {
    return this.#lineBytes
  }

  get oldest(): number {
    return this.#oldest
  }

  /** Notes an entry's line; one of the same key is dead from now on and gives its place in the order. */
  place(head: LineHead, file: number, offset: number, group: Group): number {
    const { table } = this
    let row = table.find(head.hash)
    if (row === NONE) {
      row = table.insert(head.hash)
      this.#entries++
      this.#append(row)
      this.#join(row, group)
    } else {
      this.#bytes -= table.bytes[row] as number
      this.#lineBytes -= table.size[row] as number
      table.staleAt[row] = 0
      if (table.group[row] !== group) {
        this.#leave(row)
        this.#join(row, group)
      }
    }
    table.file[row] = file
    table.offset[row] = offset
    table.size[row] = head.size
    table.bytes[row] = head.bytes
    table.format[row] = head.format
    table.loadedAt[row] = head.loadedAt
    table.freshUntil[row] = head.freshUntil
    table.keepUntil[row] = head.keepUntil
    this.#bytes += head.bytes
    this.#lineBytes += head.size
    return row
  }

  remove(row: number): void {
    const { table } = this
    this.#entries--
    this.#bytes -= table.bytes[row] as number
    this.#lineBytes -= table.size[row] as number
    this.#unlink(row)
    this.#leave(row)
    table.remove(row)
  }

  removeHash(hash: number): void {
    const row = this.table.find(hash)
    if (row !== NONE) this.remove(row)
  }

  /** Removes whatever has to do with a slot. */
  removeSlot(slot: number): void {
    const { hash, group } = this.table
    for (const row of this.rows()) {
      const { name, ...member } = group[row] as Group
      const slots = [SLOT_OF_ALL, slotOfKeyHash(hash[row] as number), slotOfName(name), ...slotsOfGroups(name, member)]
      if (slots.includes(slot)) this.remove(row)
    }
  }

  /** Marks a row stale from `at`; all its windows start there. False when it was stale before. */
  markStale(row: number, at: number): boolean {
    const { freshUntil, keepUntil, staleAt } = this.table
    const shiftMs = (freshUntil[row] as number) - at
    if (shiftMs <= 0) return false
    freshUntil[row] = at
    keepUntil[row] = (keepUntil[row] as number) - shiftMs
    staleAt[row] = at
    return true
  }

  /** Another chance for a row that came up for eviction. */
  requeue(row: number): void {
    this.table.visited[row] = 0
    this.#unlink(row)
    this.#append(row)
  }

  /** The rows a selector means; of each group the oldest first. `hash` is that of the selector's key, if it has one. */
  rowsOf(selector: Selector, hash: number | undefined): number[] {
    const { table } = this
    if (hash !== undefined) {
      const row = table.find(hash)
      const group = table.group[row]
      return group !== undefined && selector.kind === 'key' && group.name === selector.key.name ? [row] : []
    }
    if (selector.kind === 'all') return this.rows()
    const rows: number[] = []
    for (const group of this.groups.of(selector)) {
      for (let row = group.newest; row !== NONE; row = table.groupOlder[row] as number) rows.push(row)
    }
    return rows.toReversed()
  }

  /** True when the row is in use and the selector means it; a key is told by its hash. */
  means(selector: Selector, row: number): boolean {
    const group = this.table.group[row]
    if (group === undefined) return false
    return selector.kind === 'key' || selects(selector, { ...group, key: { name: group.name, id: '' } })
  }

  /** Every row, oldest first. */
  rows(): number[] {
    const rows: number[] = []
    for (let row = this.#oldest; row !== NONE; row = this.table.newer[row] as number) rows.push(row)
    return rows
  }

  #append(row: number): void {
    const { older, newer } = this.table
    older[row] = this.#newest
    newer[row] = NONE
    if (this.#newest === NONE) this.#oldest = row
    else newer[this.#newest] = row
    this.#newest = row
  }

  #unlink(row: number): void {
    const { older, newer } = this.table
    const [before, after] = [older[row] as number, newer[row] as number]
    if (before === NONE) this.#oldest = after
    else newer[before] = after
    if (after === NONE) this.#newest = before
    else older[after] = before
  }

  #join(row: number, group: Group): void {
    const { table } = this
    table.group[row] = group
    table.groupOlder[row] = group.newest
    table.groupNewer[row] = NONE
    if (group.newest !== NONE) table.groupNewer[group.newest] = row
    group.newest = row
  }

  #leave(row: number): void {
    const { table } = this
    const group = table.group[row] as Group
    const [before, after] = [table.groupOlder[row] as number, table.groupNewer[row] as number]
    if (before !== NONE) table.groupNewer[before] = after
    if (after !== NONE) table.groupOlder[after] = before
    else group.newest = before
    if (group.newest === NONE) this.groups.drop(group)
  }
}
