const GHOST_SHARE = 0.9
const WAYS = 4

/**
 * The hashes of keys that left lately, at most nine tenths of the live ones, oldest forgotten first.
 * A set-associative table of fingerprints and insertion numbers: eight bytes a key, no strings are kept alive.
 */
export class Ghost {
  #hashes = new Uint32Array(WAYS)
  #numbers = new Uint32Array(WAYS)
  #mask = 0
  #number = 1
  #limit = 1

  add(hash: number, liveRows: number): void {
    this.#limit = Math.max(1, Math.floor(liveRows * GHOST_SHARE))
    const base = (hash & this.#mask) * WAYS
    let at = base
    for (let i = base; i < base + WAYS; i++) {
      if (this.#hashes[i] === hash) {
        at = i
        break
      }
      if ((this.#numbers[i] as number) < (this.#numbers[at] as number)) at = i
    }
    this.#hashes[at] = hash
    this.#numbers[at] = this.#number++
    if (this.#number === 0xffff_ffff) this.#clear()
  }

  /** True when the key left lately; it is forgotten then. */
  take(hash: number): boolean {
    const base = (hash & this.#mask) * WAYS
    for (let i = base; i < base + WAYS; i++) {
      const number = this.#numbers[i] as number
      if (this.#hashes[i] !== hash || number === 0) continue
      this.#numbers[i] = 0
      return this.#number - number <= this.#limit
    }
    return false
  }

  /** Makes room for the ghosts of so many live rows; what was remembered is forgotten. */
  grow(rows: number): void {
    const sets = 2 ** Math.max(0, Math.ceil(Math.log2((rows * 2) / WAYS)))
    if (sets - 1 === this.#mask) return
    this.#mask = sets - 1
    this.#hashes = new Uint32Array(sets * WAYS)
    this.#numbers = new Uint32Array(sets * WAYS)
    this.#number = 1
  }

  #clear(): void {
    this.#numbers.fill(0)
    this.#number = 1
  }
}
