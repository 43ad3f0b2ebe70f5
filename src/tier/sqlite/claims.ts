import type { Clock } from '../../clock.ts'
import type { Key } from '../../key.ts'
import type { Claims } from '../tier.ts'
import type { Names } from './names.ts'
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
    return this.#writer.write(PATIENCE_MS, ({ connection }) => {
      const name = this.#names.ensure(connection, key.name)
      const taken = connection
        .statement(
          `INSERT INTO claims (kh, owner, until) VALUES (?, ?, ?) ON CONFLICT (kh) DO UPDATE
           SET owner = excluded.owner, until = excluded.until WHERE claims.until <= ? OR claims.owner = excluded.owner`,
        )
        .run(connection.hash.of(name, key.id), owner, untilMs, this.#clock().now())
      return Number(taken.changes) === 1
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
