import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { keyOf, itemOf, type Item } from '../item.ts'
import { TTL_MS } from '../peers/peer.ts'

/** What one would write by hand: a table of keys and JSON, prepared statements, the same pragmas as ours. */
export class RawDatabase {
  readonly db: DatabaseSync
  readonly #get: StatementSync
  readonly #set: StatementSync

  constructor(path: string) {
    this.db = new DatabaseSync(path, { timeout: 5_000 })
    this.db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    this.db.exec(
      'CREATE TABLE IF NOT EXISTS cache (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires INTEGER NOT NULL)',
    )
    this.#get = this.db.prepare('SELECT value FROM cache WHERE key = ?')
    this.#set = this.db.prepare(
      `INSERT INTO cache (key, value, expires) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires`,
    )
  }

  get(key: string): Item {
    return JSON.parse((this.#get.get(key) as { value: string }).value) as Item
  }

  /** One row, one transaction, unless one is open. */
  set(key: string, item: Item): void {
    this.#set.run(key, JSON.stringify(item), Date.now() + TTL_MS)
  }

  transaction(work: () => void): void {
    this.db.exec('BEGIN IMMEDIATE')
    work()
    this.db.exec('COMMIT')
  }

  fill(count: number): void {
    this.transaction(() => {
      for (let n = 0; n < count; n++) this.set(keyOf(n), itemOf(n))
    })
  }

  close(): void {
    this.db.close()
  }
}
