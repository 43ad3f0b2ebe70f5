import type { Clock } from '../../clock.ts'
import type { Key } from '../../key.ts'
import { slotOfKey } from '../../slot.ts'
import type { Claims } from '../tier.ts'
import { hashOf } from './layout.ts'
import type { Place } from './place.ts'
import type { Queries } from './query.ts'
import type { Writer } from './writer.ts'

/** What claims need of the tier around them. */
export interface ClaimsParts {
  readonly origin: string
  readonly place: Place
  readonly queries: Queries
  readonly writer: Writer
  readonly clock: () => Clock
}

/** The right to load a key, so that several processes load it once (contract C2, `one-load-per-key`). The server's clock ends it. */
export class PostgresClaims implements Claims {
  readonly #parts: ClaimsParts

  constructor(parts: ClaimsParts) {
    this.#parts = parts
  }

  async acquire(key: Key, owner: string, untilMs: number): Promise<boolean> {
    const { origin, place, queries, writer, clock } = this.#parts
    const slot = slotOfKey(key)
    const leftMs = Math.max(1, Math.ceil(untilMs - clock().now()))
    const answer = await writer.run({
      query: queries.claim,
      values: () => [slot, origin, place.known, hashOf(key), owner, leftMs],
      slots: [slot],
      issuedAtMs: performance.now(),
    })
    return answer?.['is_held'] === true
  }

  async release(key: Key, owner: string): Promise<void> {
    const { place, queries } = this.#parts
    await place.run(
      queries.release,
      () => [hashOf(key), owner],
      () => true,
    )
  }
}
