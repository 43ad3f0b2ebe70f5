/**
 * A 53-bit hash of a key under one name of one file: what the table is indexed by. The whole key is compared on every
 * read, so a collision is a miss, never a wrong value. The multipliers come from the file's random seed, so nobody
 * outside can prepare keys that push each other out. (SHA-256 was measured at five times the cost of the hash itself;
 * see bench/findings.md.)
 */
export class KeyHash {
  readonly #left: number
  readonly #right: number

  constructor(seed: number) {
    // Odd multipliers are invertible; 26 bits of the seed go into each.
    this.#left = ((seed % 0x400_0000) * 64 + 0x15) | 1
    this.#right = (Math.floor(seed / 0x400_0000) * 64 + 0x2b) | 1
  }

  of(name: number, id: string): number {
    let a = Math.imul(name ^ this.#left, 0x9e3779b1)
    let b = Math.imul(name ^ this.#right, 0x85ebca77)
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i)
      a = Math.imul(a ^ unit, this.#left)
      b = Math.imul(b ^ unit, this.#right) ^ (a >>> 15)
    }
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
    b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
    return (b & 0x1f_ffff) * 0x1_0000_0000 + (a >>> 0)
  }
}
