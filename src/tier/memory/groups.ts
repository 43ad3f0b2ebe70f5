import { slotsOfGroups, type Membership } from '../../slot.ts'

/**
 * Which rows lie in which scope, era or tag, found by slot: rows of colliding groups share a bucket, so whoever asks
 * compares the real names. Entries without a group cost nothing.
 */
export class Groups {
  readonly #buckets = new Map<number, Set<number>>()

  add(row: number, name: string, member: Membership): void {
    if (member.scope === undefined && member.tags === undefined) return
    for (const slot of slotsOfGroups(name, member)) {
      const bucket = this.#buckets.get(slot)
      if (bucket) bucket.add(row)
      else this.#buckets.set(slot, new Set([row]))
    }
  }

  remove(row: number, name: string, member: Membership): void {
    for (const slot of slotsOfGroups(name, member)) {
      const bucket = this.#buckets.get(slot)
      if (!bucket) continue
      bucket.delete(row)
      if (bucket.size === 0) this.#buckets.delete(slot)
    }
  }

  /** The rows that may lie in the group of this slot; a copy, so that it can be walked while rows leave. */
  rows(slot: number): number[] {
    const bucket = this.#buckets.get(slot)
    return bucket ? [...bucket] : []
  }
}
