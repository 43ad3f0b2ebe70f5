import type { Entry, Identity, KeyInfo, Lifetimes } from '../../entry.ts'
import type { Key } from '../../key.ts'
import { copyInto } from './eviction/queues.ts'
import { Windows } from './windows.ts'

/** What few entries have; `undefined` for the others. */
export interface Extra {
  readonly scope?: string | undefined
  readonly era?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly identity?: Identity | undefined
  readonly revision?: string | undefined
  readonly staleAt?: number | undefined
}

const FIRST_ROWS = 64

/**
 * The entries of a memory tier as columns: a row number names an entry. Numbers live in typed arrays, so an entry costs
 * no object of its own and a hit touches three of them; columns that few caches need are made when the first entry does.
 */
export class Table {
  readonly ids: string[] = []
  readonly values: unknown[] = []
  hashes: Uint32Array<ArrayBuffer> = new Uint32Array(0)
  loadedAt: Float64Array<ArrayBuffer> = new Float64Array(0)
  freshUntil: Float64Array<ArrayBuffer> = new Float64Array(0)
  /** Numbers of {@link Windows}. */
  #windowOf: Uint32Array<ArrayBuffer> = new Uint32Array(0)
  /** Numbers in `#names`. */
  #nameOf: Uint32Array<ArrayBuffer> = new Uint32Array(0)
  #extras: (Extra | undefined)[] | undefined
  /** Sizes as far as they were measured, else -1. */
  #bytes: Float64Array<ArrayBuffer> | undefined
  readonly #windows = new Windows()
  readonly #names: string[] = []
  readonly #free: number[] = []
  readonly #rowsMax: number
  #rows = 0
  #live = 0

  /** The table never has more than `rowsMax` rows, so the last growth wastes nothing. */
  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax
  }

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

  /** The number rows under a name are given; names are few and stay. */
  addName(name: string): number {
    return this.#names.push(name) - 1
  }

  /** A row for a new entry; the table has grown if `capacity` differs afterwards. */
  allocate(name: number, id: string, hash: number): number {
    const row = this.#free.pop() ?? this.#rows++
    if (row >= this.capacity) this.#grow()
    this.ids[row] = id
    this.hashes[row] = hash
    this.#nameOf[row] = name
    this.#live++
    return row
  }

  release(row: number): void {
    this.#windows.release(this.#windowOf[row] as number)
    this.values[row] = undefined
    this.ids[row] = ''
    if (this.#extras) this.#extras[row] = undefined
    this.#free.push(row)
    this.#live--
  }

  /** Writes an entry to a row that holds an older one or, after `allocate`, none. */
  write(row: number, entry: Entry): void {
    const window = this.#windows.take(entry)
    if (this.isLive(row)) this.#windows.release(this.#windowOf[row] as number)
    this.#windowOf[row] = window
    this.values[row] = entry.value
    this.loadedAt[row] = entry.loadedAt
    this.freshUntil[row] = entry.freshUntil
    const extra = extraOf(entry)
    if (extra !== undefined) this.#extras ??= Array.from({ length: this.#rows }, () => undefined)
    if (this.#extras) this.#extras[row] = extra
    const { bytes = -1 } = entry
    if (bytes !== -1) this.#bytes ??= new Float64Array(this.capacity).fill(-1)
    if (this.#bytes) this.#bytes[row] = bytes
  }

  key(row: number): Key {
    return { name: this.nameOf(row), id: this.ids[row] as string }
  }

  nameOf(row: number): string {
    return this.#names[this.#nameOf[row] as number] as string
  }

  keepUntil(row: number): number {
    return (this.freshUntil[row] as number) + this.#windows.of(this.#windowOf[row] as number).keepMs
  }

  extra(row: number): Extra | undefined {
    return this.#extras?.[row]
  }

  /** The size of the value, where it was measured. */
  bytes(row: number): number | undefined {
    const bytes = this.#bytes?.[row]
    return bytes === undefined || bytes === -1 ? undefined : bytes
  }

  /** The row as an entry. */
  entry(row: number): Entry {
    const extra = this.extra(row)
    const value = this.values[row]
    const bytes = this.bytes(row)
    return { key: this.key(row), value, ...this.#times(row), bytes, ...extra }
  }

  /** The row without its value. */
  info(row: number): KeyInfo {
    const { scope, era, tags, staleAt } = this.extra(row) ?? {}
    return { key: this.key(row), ...this.#times(row), scope, era, tags, staleAt, bytes: this.bytes(row) }
  }

  #times(row: number): Lifetimes & { readonly loadedAt: number } {
    const { staleMs, errorMs, keepMs } = this.#windows.of(this.#windowOf[row] as number)
    const loadedAt = this.loadedAt[row] as number
    const freshUntil = this.freshUntil[row] as number
    return {
      loadedAt,
      freshUntil,
      staleUntil: freshUntil + staleMs,
      errorUntil: freshUntil + errorMs,
      keepUntil: freshUntil + keepMs,
    }
  }

  #grow(): void {
    const rows = Math.max(FIRST_ROWS, Math.min(this.capacity * 2, this.#rowsMax))
    this.hashes = copyInto(new Uint32Array(rows), this.hashes)
    this.loadedAt = copyInto(new Float64Array(rows), this.loadedAt)
    this.freshUntil = copyInto(new Float64Array(rows), this.freshUntil)
    this.#windowOf = copyInto(new Uint32Array(rows), this.#windowOf)
    this.#nameOf = copyInto(new Uint32Array(rows), this.#nameOf)
    if (this.#bytes) this.#bytes = copyInto(new Float64Array(rows).fill(-1), this.#bytes)
  }
}

function extraOf(entry: Entry): Extra | undefined {
  const { scope, era, tags, identity, revision, staleAt } = entry
  const isPlain =
    scope === undefined &&
    era === undefined &&
    tags === undefined &&
    identity === undefined &&
    revision === undefined &&
    staleAt === undefined
  return isPlain ? undefined : { scope, era, tags, identity, revision, staleAt }
}
