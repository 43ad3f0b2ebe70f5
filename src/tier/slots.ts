import type { Entry } from '../entry.ts'
import { SLOTS, SLOT_OF_ALL, slotOfEra, slotOfKey, slotOfName, slotsOfGroups, type Membership } from '../slot.ts'
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

  /** `slot` is that of the entry's key, for who has it already. */
  holds(entry: Entry, lease: Lease, slot: number = slotOfKey(entry.key)): boolean {
    if (typeof lease === 'number') return this.#holdsAt(entry, slot, entry, lease)
    const { at, eraAt } = lease as EraLease
    const { era, scope } = entry
    if (era === undefined || scope === undefined) return false
    return this.#holdsAt(entry, slot, { ...entry, era: undefined }, at) && this.#unchanged(slotOfEra(era, scope), eraAt)
  }

  /** What `slotsOfEntry` lists, without making the list: this runs for every entry that is stored or copied upward. */
  #holdsAt({ key }: Entry, slot: number, member: Membership, lease: number): boolean {
    return (
      this.#unchanged(SLOT_OF_ALL, lease) &&
      this.#unchanged(slot, lease) &&
      this.#unchanged(slotOfName(key.name), lease) &&
      (!isInGroup(member) || slotsOfGroups(key.name, member).every((it) => this.#unchanged(it, lease)))
    )
  }

  #unchanged(slot: number, lease: number): boolean {
    // Said this way round, so that a lease that is no number never holds.
    return this.#all <= lease && (this.#changedAt[slot] as number) <= lease
  }
}

function isInGroup({ scope, tags }: Membership): boolean {
  return scope !== undefined || tags !== undefined
}
