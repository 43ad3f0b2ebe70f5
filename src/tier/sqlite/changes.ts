import type { Entry } from '../../entry.ts'
import { Slots } from '../slots.ts'
import type { ChangeFeed, ChangedSlots, Lease } from '../tier.ts'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'

/** How often other processes' changes are looked for when nobody reads strictly. */
const POLL_MS = 50
/** Every so many looks the file itself is checked: it may have been deleted or replaced. */
const FILE_CHECK_EVERY = 20
/** So many transactions of changes are kept; a process that was away longer drops what it holds. */
const CHANGES_KEPT = 4_096
const TRIM_EVERY = 256

/**
 * The change sequence of the file. Every transaction that sets or removes adds one row with the slots it touched, in the
 * same transaction as the data; `PRAGMA data_version` tells cheaply that somebody else committed. So the file is lease
 * and bus at once (contract C1, `two-process-lost-update`).
 */
export class Changes implements ChangeFeed {
  readonly #database: Database
  readonly #slots = new Slots()
  /** The file's sequence as far as it was taken in. */
  #seen = 0
  /** Leases are `#base` + sequence: a new file starts over, and leases of the old one must not hold in it. */
  #base = 0
  #dataVersion = 0
  #listener: (changed: ChangedSlots) => void = () => {}
  /** Called when what is cached of the file may be old: another process wrote, or a transaction of ours was undone. */
  onUncertain: () => void = () => {}

  constructor(database: Database) {
    this.#database = database
  }

  listen(listener: (changed: ChangedSlots) => void): void {
    this.#listener = listener
  }

  check(): void {
    this.#database.use((connection) => this.#look(connection))
  }

  /** By real time, whatever clock the cache goes by: this looks for what other processes do. */
  poll(): () => void {
    let looks = 0
    const look = (): void => {
      try {
        if (++looks % FILE_CHECK_EVERY === 0) this.#database.checkFile()
        this.check()
      } catch {
        // The tier's own operations report the failure; the next look tries again.
      }
    }
    const timer = setInterval(look, POLL_MS)
    timer.unref()
    return () => clearInterval(timer)
  }

  /** The sequence now, with everything other processes committed so far. */
  lease(): number {
    this.check()
    return this.#base + this.#seen
  }

  /** Inside a write transaction: takes in what others committed. */
  begin(connection: Connection): void {
    this.#look(connection)
  }

  /** Inside a write transaction: this slot changes with it. Leases from before do not hold, even if it is rolled back. */
  touch(slot: number): void {
    this.#slots.touch(slot, this.#base + this.#seen + 1)
  }

  /** True while nothing the entry belongs to changed after the lease. */
  holds(entry: Entry, lease: Lease): boolean {
    return this.#slots.holds(entry, lease)
  }

  /** Inside a write transaction: adds the row that tells others which slots it touched. */
  record(connection: Connection, touched: readonly number[]): void {
    const slots = new Uint16Array(touched)
    const sequence = this.#seen + 1
    connection.statement('INSERT INTO changes (seq, slots) VALUES (?, ?)').run(sequence, new Uint8Array(slots.buffer))
    if (sequence % TRIM_EVERY === 0)
      connection.statement('DELETE FROM changes WHERE seq <= ?').run(sequence - CHANGES_KEPT)
  }

  /** After the commit of a transaction that recorded changes. */
  committed(): void {
    this.#seen++
  }

  /** Before anything is read of a file: what changed until now needs not be told, what changes from now on does. */
  start(connection: Connection): void {
    this.#dataVersion = versionOf(connection)
    const [newest] = connection.statement('SELECT coalesce(max(seq), 0) FROM changes').get() as unknown as [number]
    this.#seen = newest
  }

  /** Another file took this one's place: no lease holds, nothing anyone holds of it counts. */
  reset(): void {
    this.#base += this.#seen + 1
    this.#seen = 0
    this.onUncertain()
    this.#tell('all')
  }

  #look(connection: Connection): void {
    const version = versionOf(connection)
    if (version === this.#dataVersion) return
    this.onUncertain()
    this.#takeIn(connection)
    this.#dataVersion = version
  }

  #takeIn(connection: Connection): void {
    const rows = connection
      .statement('SELECT seq, slots FROM changes WHERE seq > ? ORDER BY seq')
      .all(this.#seen) as unknown as [number, Uint8Array][]
    const newest = rows.at(-1)
    if (newest === undefined) return
    const complete = rows[0]?.[0] === this.#seen + 1
    this.#seen = newest[0]
    this.#tell(complete ? rows.flatMap(([, slots]) => [...slotsOf(slots)]) : 'all')
  }

  #tell(changed: ChangedSlots): void {
    const sequence = this.#base + this.#seen
    if (changed === 'all') this.#slots.touchAll(sequence)
    else for (const slot of changed) this.#slots.touch(slot, sequence)
    this.#listener(changed)
  }
}

/** Moves when somebody else committed. */
function versionOf(connection: Connection): number {
  const [version] = connection.statement('PRAGMA data_version').get() as unknown as [number]
  return version
}

function slotsOf(bytes: Uint8Array): Uint16Array {
  // A copy: a blob's memory need not be aligned.
  return new Uint16Array(bytes.slice().buffer)
}
