import { SLOTS, slotOfHash } from '../../slot.ts'
import { copyInto } from './eviction/queues.ts'

/**
 * Rows that another process changed are settled when they are next met: one number for each slot and one for each row say
 * which of the two came later. Costs nothing until another process changes something.
 */
export class Forgotten {
  /** How many times something was forgotten, when the slot last was. */
  #slots: Float64Array<ArrayBuffer> | undefined
  /** The same count when the row was written; 0 for rows older than the first time. */
  #rows = new Float64Array(0)
  #count = 0

  has(row: number, hash: number): boolean {
    if (this.#slots === undefined) return false
    return (this.#slots[slotOfHash(hash)] as number) > (this.#rows[row] as number)
  }

  /** The slots changed elsewhere now. */
  add(slots: readonly number[], capacity: number): void {
    this.#slots ??= new Float64Array(SLOTS)
    this.grow(capacity)
    this.#count++
    for (const slot of slots) this.#slots[slot] = this.#count
  }

  written(row: number): void {
    if (this.#slots) this.#rows[row] = this.#count
  }

  grow(rows: number): void {
    if (this.#slots && rows > this.#rows.length) this.#rows = copyInto(new Float64Array(rows), this.#rows)
  }
}
