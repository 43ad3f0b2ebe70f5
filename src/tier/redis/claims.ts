import type { Clock } from '../../clock.ts'
import type { Key } from '../../key.ts'
import { slotOfKey } from '../../slot.ts'
import type { Claims } from '../tier.ts'
import type { Changes } from '../changes.ts'
import { fieldOf } from '../field.ts'
import { Script } from './script.ts'
import type { Writer } from './writer.ts'

const CLAIM = new Script('claim')
const RELEASE = new Script('release')

/** The right to load a key, so that several processes load it once (contract C2, `one-load-per-key`). Redis's clock ends it. */
export class RedisClaims implements Claims {
  readonly #writer: Writer
  readonly #changes: Changes
  readonly #clock: () => Clock

  constructor(writer: Writer, changes: Changes, clock: () => Clock) {
    this.#writer = writer
    this.#changes = changes
    this.#clock = clock
  }

  async acquire(key: Key, owner: string, untilMs: number): Promise<boolean> {
    const slot = slotOfKey(key)
    const leftMs = Math.max(1, Math.ceil(untilMs - this.#clock().now()))
    const args = [fieldOf(key.id), owner, String(leftMs), String(slot)]
    const { life, answer } = await this.#writer.write(key.name, CLAIM, () => args)
    const [sequence, isHeld, isTakenOver] = answer as [number, number, number]
    if (isTakenOver === 1) this.#changes.madeOne(life, sequence, slot)
    return isHeld === 1
  }

  async release(key: Key, owner: string): Promise<void> {
    await this.#writer.write(key.name, RELEASE, () => [fieldOf(key.id), owner])
  }
}
