import type { Entry } from '../../entry.ts'
import { slotOfName } from '../../slot.ts'
import { Slots } from '../slots.ts'
import type { ChangedSlots, Lease } from '../tier.ts'
import type { Life } from './life.ts'

/**
 * Which slots changed when, by a count of this process: what leases are made of. A change in Redis is counted when this
 * process hears of it; what it has not heard of yet is checked by the script that stores (`lua/put.lua`, which gets the
 * sequence up to which was heard). Late knowledge so only makes a lease fail that might have held.
 */
export class Changes {
  readonly #slots = new Slots()
  #count = 0
  #listener: (changed: ChangedSlots) => void = () => {}

  listen(listener: (changed: ChangedSlots) => void): void {
    this.#listener = listener
  }

  lease(): number {
    return this.#count
  }

  holds(entry: Entry, lease: Lease): boolean {
    return this.#slots.holds(entry, lease)
  }

  /** This slot changes, or may have: no lease from before holds for it. */
  touch(slot: number): void {
    this.#slots.touch(slot, ++this.#count)
  }

  /** Redis made a change of our own: again, for a lease taken while it was on its way must not hold either. */
  madeOne(life: Life, sequence: number, slot: number): void {
    life.answered(sequence)
    if (sequence === life.known + 1) life.known = sequence
    this.touch(slot)
  }

  /** Others changed these slots. */
  tookIn(slots: readonly number[]): void {
    if (slots.length === 0) return
    for (const slot of slots) this.touch(slot)
    this.#listener(slots)
  }

  /** Changes of a name may have been missed: what is held of it does not count. */
  lost(life: Life): void {
    if (life.name === undefined) {
      this.#slots.touchAll(++this.#count)
      this.#listener('all')
    } else this.tookIn([slotOfName(life.name)])
  }
}
