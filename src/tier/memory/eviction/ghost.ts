/** Twice the live rows are remembered: what comes back after a lap of a loop is still known (bench/findings.md). */
const GHOST_SHARE = 2
const WAYS = 8
/** Slots for each remembered key: sets fill unevenly, and a full one forgets too early. */
const SLOTS_EACH = 2
/** The remembered span is told in so many steps; ages need no more. */
const STEPS = 256
const STAMP_MAX = 0xffff

/**
 * Which keys left lately, oldest forgotten first. A set-associative table of 16-bit fingerprints with 16-bit ages: 16 bytes
 * a live row, no strings are kept alive. It may take a stranger for a ghost once in ten thousand times, which costs nothing
 * but a place in the main queue.
 */
export class Ghost {
  /** Made when the first key leaves: a cache that never fills up needs none. */
  #slots: Uint32Array | undefined
  #sets = 1
  /** The time now in steps. It is summed up, not computed: how many rows there are may change from one to the next. */
  #steps = 0

  add(hash: number, liveRows: number): void {
    this.#steps += STEPS / Math.max(1, liveRows * GHOST_SHARE)
    const slots = (this.#slots ??= new Uint32Array(this.#sets * WAYS))
    const base = this.#base(hash)
    let oldest = base
    for (let i = base; i < base + WAYS; i++) {
      const slot = slots[i] as number
      if (slot >>> 16 === (hash & STAMP_MAX) || slot === 0) {
        oldest = i
        break
      }
      if (this.#ageOf(slot) > this.#ageOf(slots[oldest] as number)) oldest = i
    }
    slots[oldest] = (((hash & STAMP_MAX) << 16) | this.#stamp()) >>> 0
  }

  /** True when the key left lately; it is forgotten then. */
  take(hash: number): boolean {
    const slots = this.#slots
    if (!slots) return false
    const base = this.#base(hash)
    for (let i = base; i < base + WAYS; i++) {
      const slot = slots[i] as number
      if (slot === 0 || slot >>> 16 !== (hash & STAMP_MAX)) continue
      slots[i] = 0
      return this.#ageOf(slot) <= STEPS
    }
    return false
  }

  /** Makes room for the ghosts of so many live rows; what was remembered is forgotten. */
  grow(rows: number): void {
    this.#sets = Math.ceil((rows * GHOST_SHARE * SLOTS_EACH) / WAYS)
    this.#slots = undefined
    this.#steps = 0
  }

  /** The time now in whole steps, 1 … 65 535 in a circle; 0 marks an empty slot. */
  #stamp(): number {
    return (Math.floor(this.#steps) % STAMP_MAX) + 1
  }

  #ageOf(slot: number): number {
    return (this.#stamp() - (slot & STAMP_MAX) + STAMP_MAX) % STAMP_MAX
  }

  /** Where the set of a hash begins; by its upper bits, the lower ones are the fingerprint. */
  #base(hash: number): number {
    const h = Math.imul(hash ^ (hash >>> 16), 0x2c1b3c6d) >>> 0
    return Math.floor((h / 0x1_0000_0000) * this.#sets) * WAYS
  }
}
