const BRACKET = 91 // [
const QUOTE = 34 // "

/**
 * A 53-bit hash of a key under one name of one file: what the table is indexed by. The whole key is compared on every
 * read, so a collision is a miss, never a wrong value. The upper 32 bits and the lowest 5 come from all of the key but its
 * last two characters, mixed with the file's random seed, so nobody outside can prepare keys that push each other out;
 * between them stand those two characters as they are. So keys that differ only there (`unit:100` … `unit:199`) are
 * neighbours in the index, and a hundred of them written together touch one page of it, not a hundred (bench/findings.md).
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
    const end = endOf(id)
    // NaN past the beginning of a short key; the bit operations below take it for 0.
    const before = id.charCodeAt(end - 2)
    const last = id.charCodeAt(end - 1)
    let a = Math.imul(name ^ this.#left, 0x9e3779b1)
    let b = Math.imul(id.length ^ this.#right, 0x85ebca77)
    for (let i = 0; i < end - 2; i++) {
      const unit = id.charCodeAt(i)
      a = Math.imul(a ^ unit, this.#left)
      b = Math.imul(b ^ unit, this.#right) ^ (a >>> 15)
    }
    // Of characters beyond Latin-1 only the lower byte stands as it is.
    a = Math.imul(a ^ (before & 0xff00) ^ (last >>> 8), this.#left)
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
    b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
    const low = ((before & 0xff) << 13) | ((last & 0xff) << 5) | (b >>> 27)
    return (a >>> 0) * 0x20_0000 + low
  }
}

/** Where the last part of a key ends: before the closing signs of a tuple. */
function endOf(id: string): number {
  if (id.charCodeAt(0) !== BRACKET) return id.length
  return id.charCodeAt(id.length - 2) === QUOTE ? id.length - 2 : id.length - 1
}
