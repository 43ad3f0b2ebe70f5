import type { Entry } from '../entry.ts'
import { SLOTS, slotOfEra, slotsOfEntry } from '../slot.ts'
import type { EraLease, Lease } from './tier.ts'

/**
 * When each slot last changed, by a tier's change sequence. A lease is the sequence before a load; it holds for an
 * entry while none of the entry's slots changed after it (contract C1). After "Scaling Memcache at Facebook", NSDI 2013,
 * without per-key tokens: the memory is bounded, and tags that are known only after the load are covered too.
 */
export class Slots {
  readonly #changedAt = new Float64Array(SLOTS)
  #all = 0

  touch(slot: number, sequence: number): void {
    this.#changedAt[slot] = sequence
  }

  /** Changes may have been missed: no lease from before holds for anything. */
  touchAll(sequence: number): void {
    this.#all = sequence
  }

  holds(entry: Entry, lease: Lease): boolean {
    if (typeof lease === 'number') return this.#unchanged(slotsOfEntry(entry.key, entry), lease)
    const { at, eraAt } = lease as EraLease
    const { era, scope } = entry
    if (era === undefined || scope === undefined) return false
    return (
      this.#unchanged(slotsOfEntry(entry.key, { ...entry, era: undefined }), at) &&
      this.#unchanged([slotOfEra(era, scope)], eraAt)
    )
  }

  #unchanged(slots: readonly number[], lease: number): boolean {
    // Negated, so that a lease that is no number never holds.
    if (!(this.#all <= lease)) return false
    for (const slot of slots) if ((this.#changedAt[slot] as number) > lease) return false
    return true
  }
}
