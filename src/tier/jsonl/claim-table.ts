import type { Key } from '../../key.ts'

/** The right of one owner to load a key for a while. */
export interface Claim {
  readonly key: Key

  readonly owner: string
  readonly until: number
}

/** Who may load which key, by the hash of the key. */
export class ClaimTable {
  readonly #claims = new Map<number, Claim>()

  /** Of another owner, and not over at `now`. */
  isHeld(hash: number, owner: string, now: number): boolean {
    const claim = this.#claims.get(hash)
    return claim !== undefined && claim.owner !== owner && claim.until > now
  }

  /** Another owner had it and let it run out: a takeover. */
  hasRunOut(hash: number, owner: string, now: number): boolean {
    const claim = this.#claims.get(hash)
    return claim !== undefined && claim.owner !== owner && claim.until <= now
  }

  isOf(hash: number, owner: string): boolean {
    return this.#claims.get(hash)?.owner === owner
  }

  acquire(hash: number, claim: Claim, now: number): boolean {
    if (this.isHeld(hash, claim.owner, now)) return false
    this.#claims.set(hash, claim)
    return true
  }

  /** Ends an owner's claim of a key; without an owner, whoever's; without a hash, all. */
  release(hash: number | undefined, owner?: string): boolean {
    if (hash === undefined) this.#claims.clear()
    else if (owner === undefined || this.#claims.get(hash)?.owner === owner) return this.#claims.delete(hash)
    return false
  }

  /** Every claim, also those that ran out: who takes one over must know that there was one. */
  all(): Iterable<Claim> {
    return this.#claims.values()
  }

  clear(): void {
    this.#claims.clear()
  }
}
