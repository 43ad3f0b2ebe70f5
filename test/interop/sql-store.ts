import { EventEmitter } from 'node:events'
import { DatabaseSync } from 'node:sqlite'

/**
 * A storage adapter of Keyv over one table, as `@keyv/sqlite` keeps it, by either contract: 5, times to live; 6, absolute
 * times. `trouble` is what its next operations come to.
 */
export class SqlStore extends EventEmitter {
  readonly capabilities: { readonly expires: true } | undefined
  trouble: 'none' | 'throws' | 'answers false' | 'hangs' = 'none'
  readonly #db: DatabaseSync
  readonly #hanging: (() => void)[] = []

  constructor(path: string, contract: 5 | 6 = 5) {
    super()
    this.capabilities = contract === 6 ? { expires: true } : undefined
    this.#db = new DatabaseSync(path)
    // What outlives the machine is not what is tested here.
    this.#db.exec('PRAGMA synchronous = OFF')
    this.#db.exec('CREATE TABLE IF NOT EXISTS keyv (key TEXT PRIMARY KEY, value TEXT, expires INTEGER)')
  }

  async get(key: string): Promise<string | undefined> {
    await this.#meetTrouble()
    return this.raw(key)
  }

  async set(key: string, value: string, time?: number): Promise<boolean> {
    if (await this.#meetTrouble()) return false
    const expires = time === undefined ? null : this.capabilities ? time : Date.now() + time
    this.#db.prepare('INSERT OR REPLACE INTO keyv VALUES (?, ?, ?)').run(key, value, expires)
    return true
  }

  async delete(key: string): Promise<boolean> {
    if (await this.#meetTrouble()) return false
    return this.#db.prepare('DELETE FROM keyv WHERE key = ?').run(key).changes > 0
  }

  async *iterator(): AsyncGenerator<[string, string]> {
    await this.#meetTrouble()
    for (const key of this.keys()) yield [key, this.raw(key) as string]
  }

  /** Lets go on what hangs. */
  recover(): void {
    this.trouble = 'none'
    for (const release of this.#hanging.splice(0)) release()
  }

  /** What lies there, without asking the adapter. */
  raw(key: string): string | undefined {
    const row = this.#db.prepare('SELECT value, expires FROM keyv WHERE key = ?').get(key)
    if (row === undefined || (row['expires'] !== null && Date.now() >= (row['expires'] as number))) return undefined
    return row['value'] as string
  }

  keys(): string[] {
    return this.#db
      .prepare('SELECT key FROM keyv')
      .all()
      .map(({ key }) => key as string)
  }

  disconnect(): void {
    if (this.#db.isOpen) this.#db.close()
  }

  /** True when a write is to be answered with `false`. */
  async #meetTrouble(): Promise<boolean> {
    if (this.trouble === 'throws') throw new Error('connection refused')
    if (this.trouble === 'hangs') await new Promise<void>((resolve) => this.#hanging.push(resolve))
    return this.trouble === 'answers false'
  }
}
