import type { Entry } from '../entry.ts'
import { slotOfName } from '../slot.ts'
import { Slots } from './slots.ts'
import type { ChangedSlots, Lease } from './tier.ts'

/** How far the changes of a store were taken in: all of it, or what lies under one name. */
export interface Progress {
  /** `undefined` for all of it. */
  readonly name: string | undefined
  /** Changes up to this sequence were taken in. */
  known: number
  /** The store answered that its sequence is this by now. */
  answered(sequence: number): void
}

/**
 * Which slots changed when, by a count of this process: what leases of a tier over a network are made of. A change in the
 * store is counted when this process hears of it; what it has not heard of yet is checked where the store is, in the
 * transaction that stores (it gets the sequence up to which was heard). Late knowledge so only makes a lease fail that might
 * have held.
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

  /** A change of our own was made: again, for a lease taken while it was on its way must not hold either. */
  madeOne(progress: Progress, sequence: number, slot: number): void {
    progress.answered(sequence)
    if (sequence === progress.known + 1) progress.known = sequence
    this.touch(slot)
  }

  /** Others changed these slots. */
  tookIn(slots: readonly number[]): void {
    if (slots.length === 0) return
    for (const slot of slots) this.touch(slot)
    this.#listener(slots)
  }

  /** Changes may have been missed: what is held of all of it, or of its name, does not count. */
  lost({ name }: Pick<Progress, 'name'>): void {
    if (name === undefined) {
      this.#slots.touchAll(++this.#count)
      this.#listener('all')
    } else this.tookIn([slotOfName(name)])
  }
}
