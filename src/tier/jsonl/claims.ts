import type { Clock } from '../../clock.ts'
import type { Key } from '../../key.ts'
import type { Claims } from '../tier.ts'
import type { Changes } from './changes.ts'
import type { Replica } from './replica.ts'
import type { Writer } from './writer.ts'

/** The right to load a key, as lines of the log, so that several processes load it once (contract C2, `one-load-per-key`). */
export class JsonlClaims implements Claims {
  readonly #writer: Writer
  readonly #replica: Replica
  readonly #changes: Changes
  readonly #clock: () => Clock

  constructor(writer: Writer, replica: Replica, changes: Changes, clock: () => Clock) {
    this.#writer = writer
    this.#replica = replica
    this.#changes = changes
    this.#clock = clock
  }

  async acquire(key: Key, owner: string, until: number): Promise<boolean> {
    // Whoever waits asks again and again: only a claim that may be granted is worth a line.
    this.#changes.check()
    return this.#writer.record<boolean>((batch) => {
      const { claims, hash } = this.#replica
      const [keyHash, at] = [hash.of(key), this.#clock().now()]
      if (claims.isHeld(keyHash, owner, at)) return { outcome: false }
      const takeover = claims.hasRunOut(keyHash, owner, at)
      batch.record({ op: 'claim', name: key.name, key: key.id, owner, until, at, takeover })
      return undefined
    })
  }

  async release(key: Key, owner: string): Promise<void> {
    await this.#writer.record((batch) => {
      if (!this.#replica.claims.isOf(this.#replica.hash.of(key), owner)) return { outcome: false }
      batch.record({ op: 'release', name: key.name, key: key.id, owner })
      return undefined
    })
  }
}
