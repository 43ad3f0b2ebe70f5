import type { Key } from '../../key.ts'
import { hashOfKey, slotOfHash } from '../../slot.ts'

const LOW = 0x20_0000

/**
 * A 53-bit hash of a key: the upper 32 bits are the hash that leases go by, so that a line tells its slot without being
 * parsed; the lower 21 are mixed with the folder's random seed, so that nobody outside can prepare keys that push each
 * other out. The whole key is compared on every read: a collision is a miss, never a wrong value.
 */
export class KeyHash {
  readonly #multiplier: number

  constructor(seed: number) {
    // Odd multipliers are invertible.
    this.#multiplier = (seed << 1) | 1
  }

  of(key: Key): number {
    let h = this.#mix(0x9e3779b1, key.name)
    h = this.#mix(h, key.id)
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b)
    return hashOfKey(key) * LOW + ((h ^ (h >>> 13)) >>> 11)
  }

  #mix(seed: number, text: string): number {
    let h = seed
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), this.#multiplier) ^ (h >>> 17)
    // A unit no text continues across: ('ab','c') and ('a','bc') differ.
    return Math.imul(h ^ 0x1ffff, this.#multiplier)
  }
}

/** The slot of the key that has this hash. */
export function slotOfKeyHash(hash: number): number {
  return slotOfHash(Math.floor(hash / LOW))
}
