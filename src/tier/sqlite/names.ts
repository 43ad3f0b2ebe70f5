import type { Connection } from './connection.ts'

/**
 * The names table, cached. A cleared name gets a new number, so whatever the cache held of it is void; the cache is
 * emptied whenever another process has written.
 */
export class Names {
  readonly #byName = new Map<string, number>()
  readonly #byId = new Map<number, string>()

  /** The number of a live name, or `undefined` when nothing was ever stored under it. */
  find(connection: Connection, name: string): number | undefined {
    const known = this.#byName.get(name)
    if (known !== undefined) return known
    const row = connection.statement('SELECT id FROM names WHERE name = ? AND dropped = 0').get(name) as unknown
    return row === undefined ? undefined : this.#remember(name, (row as [number])[0])
  }

  /** The number of a name, given to it if it has none. Inside a write transaction only. */
  ensure(connection: Connection, name: string): number {
    const found = this.find(connection, name)
    if (found !== undefined) return found
    const made = connection.statement('INSERT INTO names (name) VALUES (?)').run(name)
    return this.#remember(name, Number(made.lastInsertRowid))
  }

  /** The name of a number, for rows found without their name. */
  nameOf(connection: Connection, id: number): string | undefined {
    const known = this.#byId.get(id)
    if (known !== undefined) return known
    const row = connection.statement('SELECT name FROM names WHERE id = ?').get(id) as unknown
    if (row === undefined) return undefined
    const [name] = row as [string]
    this.#byId.set(id, name)
    return name
  }

  /** Every live name with its number. */
  live(connection: Connection): { name: string; id: number }[] {
    const rows = connection.statement('SELECT name, id FROM names WHERE dropped = 0').all() as unknown as [
      string,
      number,
    ][]
    return rows.map(([name, id]) => ({ name, id }))
  }

  /** Lets go of a name: its rows are dead from the commit on and are swept later. Inside a write transaction only. */
  drop(connection: Connection, id: number): void {
    connection.statement('UPDATE names SET dropped = 1 WHERE id = ?').run(id)
    this.clear()
  }

  clear(): void {
    this.#byName.clear()
    this.#byId.clear()
  }

  #remember(name: string, id: number): number {
    this.#byName.set(name, id)
    this.#byId.set(id, name)
    return id
  }
}
