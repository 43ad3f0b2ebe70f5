import type { Clock } from '../../clock.ts'
import type { Key } from '../../key.ts'
import { slotOfKey } from '../../slot.ts'
import type { Claims } from '../tier.ts'
import type { Names } from './names.ts'
import { touch } from './write-target.ts'
import type { Writer } from './writer.ts'

/** Claims are only worth waiting for as long as a load; after that one loads without. */
const PATIENCE_MS = 50

/** The right to load a key, in the file, so that several processes load it once (contract C2, `one-load-per-key`). */
export class SqliteClaims implements Claims {
  readonly #writer: Writer
  readonly #names: Names
  readonly #clock: () => Clock

  constructor(writer: Writer, names: Names, clock: () => Clock) {
    this.#writer = writer
    this.#names = names
    this.#clock = clock
  }

  acquire(key: Key, owner: string, untilMs: number): Promise<boolean> {
    return this.#writer.write(PATIENCE_MS, (target) => {
      const { connection } = target
      const kh = connection.hash.of(this.#names.ensure(connection, key.name), key.id)
      const holder = connection.statement('SELECT owner, until FROM claims WHERE kh = ?').get(kh) as unknown as
        | [string, number]
        | undefined
      const now = this.#clock().now()
      if (holder && holder[0] !== owner) {
        if (holder[1] > now) return false
        // The holder may still come, late: the slot moves, so its lease no longer holds (contract C2, `holder-killed`).
        touch(slotOfKey(key), target)
      }
      connection
        .statement(
          `INSERT INTO claims (kh, owner, until) VALUES (?, ?, ?) ON CONFLICT (kh) DO UPDATE
           SET owner = excluded.owner, until = excluded.until`,
        )
        .run(kh, owner, untilMs)
      return true
    })
  }

  async release(key: Key, owner: string): Promise<void> {
    await this.#writer.write(PATIENCE_MS, ({ connection }) => {
      const name = this.#names.find(connection, key.name)
      if (name === undefined) return
      connection.statement('DELETE FROM claims WHERE kh = ? AND owner = ?').run(connection.hash.of(name, key.id), owner)
    })
  }
}
