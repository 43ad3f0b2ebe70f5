const DEPTH = 4
const COUNT_MAX = 15
const SEEDS = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const

/** Count-min sketch with aging: how often a key was seen lately, in a byte each of four rows. Estimates never fall short. */
export class Sketch {
  #counts = new Uint8Array(DEPTH)
  #mask = 0
  #seen = 0
  #period = 10

  seen(hash: number): void {
    let grew = false
    for (let d = 0; d < DEPTH; d++) {
      const at = this.#at(hash, d)
      const count = this.#counts[at] as number
      if (count === COUNT_MAX) continue
      this.#counts[at] = count + 1
      grew = true
    }
    if (grew && ++this.#seen >= this.#period) this.#age()
  }

  estimate(hash: number): number {
    let least = COUNT_MAX
    for (let d = 0; d < DEPTH; d++) least = Math.min(least, this.#counts[this.#at(hash, d)] as number)
    return least
  }

  grow(rows: number): void {
    const width = 2 ** Math.ceil(Math.log2(Math.max(16, rows)))
    if (width - 1 === this.#mask) return
    this.#mask = width - 1
    this.#counts = new Uint8Array(DEPTH * width)
    this.#period = 10 * width
    this.#seen = 0
  }

  #at(hash: number, depth: number): number {
    let h = Math.imul(hash ^ (SEEDS[depth] as number), 0x9e3779b1)
    h ^= h >>> 15
    return (h & this.#mask) * DEPTH + depth
  }

  /** Halves every count, so that what was popular long ago makes room. */
  #age(): void {
    for (let i = 0; i < this.#counts.length; i++) this.#counts[i] = (this.#counts[i] as number) >>> 1
    this.#seen >>>= 1
  }
}
