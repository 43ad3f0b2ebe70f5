import { selects, type KeyInfo } from '../../entry.ts'
import type { Selector } from '../../key.ts'

/** What is known of one entry in the store, or of one that is to leave it. */
export interface Row {
  /** Where it lies in the store. */
  readonly at: string
  /** Of the write that made it: what lies in the store with another stamp is an older value, or a stranger's. */
  readonly stamp: string
  info: KeyInfo
  /** False: removed, and the store has not confirmed it yet. */
  isLive: boolean
  /** Marked stale, and the store has not confirmed it yet. */
  isUnsaved: boolean
  /** Read since it was last thought of leaving. */
  isVisited: boolean
  /** The removal that is under way. */
  leaving: Promise<void> | undefined
}

/** A row for an entry that lies, or will lie, in the store. */
export function newRow(at: string, stamp: string, info: KeyInfo): Row {
  return { at, stamp, info, isLive: true, isUnsaved: false, isVisited: false, leaving: undefined }
}

/**
 * What lies in the store, in memory: a Keyv store finds nothing but keys. It knows at least what the store has, so what it
 * does not know is not there; in the order of insertion, which is the order of leaving.
 */
export class Directory {
  readonly #rows = new Map<string, Row>()
  #entries = 0
  #bytes = 0

  /** How many live entries there are, those past their time included. */
  get entries(): number {
    return this.#entries
  }

  /** How many bytes their values have. */
  get bytes(): number {
    return this.#bytes
  }

  /** The live row of a place. */
  find(at: string): Row | undefined {
    const row = this.#rows.get(at)
    return row?.isLive ? row : undefined
  }

  /** The row of a place, also one that is to leave. */
  at(at: string): Row | undefined {
    return this.#rows.get(at)
  }

  /** Puts a row in the place of whatever was there. */
  set(row: Row): void {
    const old = this.#rows.get(row.at)
    if (old?.isLive) this.#count(old, -1)
    this.#rows.set(row.at, row)
    this.#count(row, 1)
  }

  /** From now on the entry is not there, whatever the store still has. */
  kill(row: Row): void {
    if (!row.isLive) return
    row.isLive = false
    if (this.#rows.get(row.at) === row) this.#count(row, -1)
  }

  /** The store has confirmed that it is gone. */
  forget(row: Row): void {
    if (this.#rows.get(row.at) === row) this.#rows.delete(row.at)
  }

  /** The value turned out to have so many bytes. */
  measure(row: Row, bytes: number): void {
    const isCounted = row.isLive && this.#rows.get(row.at) === row
    if (isCounted) this.#count(row, -1)
    row.info = { ...row.info, bytes }
    if (isCounted) this.#count(row, 1)
  }

  /** Rows a selector means, those that are to leave included. */
  select(selector: Selector): Row[] {
    return [...this.#rows.values()].filter(({ info }) => selects(selector, info))
  }

  /** The next row to leave for want of room: the oldest, but one that was read since gets a second round. */
  oldest(): Row | undefined {
    let rounds = this.#rows.size * 2
    for (const row of this.#rows.values()) {
      if (rounds-- <= 0) return undefined
      if (!row.isLive) continue
      if (!row.isVisited) return row
      row.isVisited = false
      this.#rows.delete(row.at)
      this.#rows.set(row.at, row)
    }
    return undefined
  }

  rows(): Iterable<Row> {
    return this.#rows.values()
  }

  #count({ info }: Row, sign: 1 | -1): void {
    this.#entries += sign
    this.#bytes += sign * (info.bytes ?? 0)
  }
}
