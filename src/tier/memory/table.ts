import type { Entry, Identity, KeyInfo } from '../../entry.ts'
import { copyInto } from './eviction/queues.ts'

/** What few entries have; one shared `undefined` for the others. */
export interface Extra {
  readonly scope?: string | undefined
  readonly era?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly identity?: Identity | undefined
  readonly revision?: string | undefined
  readonly staleAt?: number | undefined
  readonly bytes?: number | undefined
}

const FIRST_ROWS = 64

/**
 * The entries of a memory tier as columns: a row number names an entry. Numbers live in typed arrays, so an entry costs
 * no object of its own and a hit touches three of them.
 */
export class Table {
  readonly ids: string[] = []
  readonly names: string[] = []
  readonly values: unknown[] = []
  readonly extras: (Extra | undefined)[] = []
  hashes: Uint32Array<ArrayBuffer> = new Uint32Array(0)
  loadedAt: Float64Array<ArrayBuffer> = new Float64Array(0)
  freshUntil: Float64Array<ArrayBuffer> = new Float64Array(0)
  staleUntil: Float64Array<ArrayBuffer> = new Float64Array(0)
  errorUntil: Float64Array<ArrayBuffer> = new Float64Array(0)
  keepUntil: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** The tier's count of forget calls when the row was written; see `MemoryTier.forget`. */
  mark: Float64Array<ArrayBuffer> = new Float64Array(0)
  readonly #free: number[] = []
  #rows = 0
  #live = 0

  /** How many entries there are. */
  get live(): number {
    return this.#live
  }

  /** How many rows there ever were: the bound for a walk. */
  get rows(): number {
    return this.#rows
  }

  get capacity(): number {
    return this.hashes.length
  }

  isLive(row: number): boolean {
    return this.values[row] !== undefined
  }

  /** A row for a new entry; the table has grown if `capacity` differs afterwards. */
  allocate(name: string, id: string, hash: number): number {
    const row = this.#free.pop() ?? this.#rows++
    if (row >= this.capacity) this.#grow()
    this.ids[row] = id
    this.names[row] = name
    this.hashes[row] = hash
    this.#live++
    return row
  }

  release(row: number): void {
    this.values[row] = undefined
    this.extras[row] = undefined
    this.ids[row] = ''
    this.#free.push(row)
    this.#live--
  }

  write(row: number, entry: Entry, mark: number): void {
    this.values[row] = entry.value
    this.loadedAt[row] = entry.loadedAt
    this.freshUntil[row] = entry.freshUntil
    this.staleUntil[row] = entry.staleUntil
    this.errorUntil[row] = entry.errorUntil
    this.keepUntil[row] = entry.keepUntil
    this.mark[row] = mark
    this.extras[row] = extraOf(entry)
  }

  /** The row as an entry. */
  entry(row: number): Entry {
    return { ...this.info(row), ...this.extras[row], value: this.values[row] }
  }

  /** The row without its value. */
  info(row: number): KeyInfo {
    return {
      key: { name: this.names[row] as string, id: this.ids[row] as string },
      loadedAt: this.loadedAt[row] as number,
      freshUntil: this.freshUntil[row] as number,
      staleUntil: this.staleUntil[row] as number,
      errorUntil: this.errorUntil[row] as number,
      keepUntil: this.keepUntil[row] as number,
      scope: this.extras[row]?.scope,
      era: this.extras[row]?.era,
      tags: this.extras[row]?.tags,
      staleAt: this.extras[row]?.staleAt,
      bytes: this.extras[row]?.bytes,
    }
  }

  #grow(): void {
    const rows = Math.max(FIRST_ROWS, this.capacity * 2)
    this.hashes = copyInto(new Uint32Array(rows), this.hashes)
    this.loadedAt = copyInto(new Float64Array(rows), this.loadedAt)
    this.freshUntil = copyInto(new Float64Array(rows), this.freshUntil)
    this.staleUntil = copyInto(new Float64Array(rows), this.staleUntil)
    this.errorUntil = copyInto(new Float64Array(rows), this.errorUntil)
    this.keepUntil = copyInto(new Float64Array(rows), this.keepUntil)
    this.mark = copyInto(new Float64Array(rows), this.mark)
  }
}

function extraOf(entry: Entry): Extra | undefined {
  const { scope, era, tags, identity, revision, staleAt, bytes } = entry
  const plain =
    scope === undefined &&
    tags === undefined &&
    identity === undefined &&
    revision === undefined &&
    staleAt === undefined &&
    bytes === undefined &&
    era === undefined
  return plain ? undefined : { scope, era, tags, identity, revision, staleAt, bytes }
}
