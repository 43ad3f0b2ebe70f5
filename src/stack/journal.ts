import { selects, staleFrom, type Entry } from '../entry.ts'
import type { Key, Selector } from '../key.ts'
import type { Lease } from '../tier/tier.ts'

/** One change a tier missed. */
export type Change =
  | {
      readonly kind: 'put'
      readonly entry: Entry
      /** Of a tier that others write to as well, taken when it missed the set: what they changed since then is newer. */
      readonly lease?: Lease | undefined
    }
  | { readonly kind: 'remove'; readonly selector: Selector; readonly staleAt?: number | undefined }

/** How much a journal holds before it gives up and lets the whole tier be emptied instead. */
export interface JournalLimits {
  readonly maxItems: number
  readonly maxBytes: number
}

/** Defaults to this many missed changes. */
export const DEFAULT_JOURNAL_ITEMS = 10_000
/** Defaults to this many bytes of missed values. */
export const DEFAULT_JOURNAL_BYTES: number = 16 * 1024 * 1024

const EVERYTHING: Change = { kind: 'remove', selector: { kind: 'all' } }

/**
 * The changes a tier missed while it was in trouble: the last one for each key, and the groups that were removed. Until
 * they are replayed the tier's answers are corrected by it, so a deleted value never comes back (contract C3,
 * `outage-journal-replay`). When it overflows it keeps one fact: everything in the tier is void.
 */
export class Journal {
  readonly #limits: JournalLimits
  #groups: Extract<Change, { kind: 'remove' }>[] = []
  readonly #keys = new Map<string, Change>()
  #bytes = 0
  #overflowed = false

  constructor(limits: JournalLimits) {
    this.#limits = limits
  }

  get items(): number {
    return this.#groups.length + this.#keys.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.items === 0 && !this.#overflowed
  }

  /** True when changes were lost: the tier must be emptied before it serves again. */
  get isOverflowed(): boolean {
    return this.#overflowed
  }

  record(change: Change): void {
    // The tier will be emptied: nothing is left that a removal could concern, and a value can be loaded again.
    if (this.#overflowed) return
    if (change.kind === 'put') this.#setKey(change.entry.key, change)
    else if (change.selector.kind === 'key') this.#removeKey(change.selector.key, change)
    else this.#addGroup(change)
    if (this.items > this.#limits.maxItems || this.#bytes > this.#limits.maxBytes) this.#overflow()
  }

  /** Gives the sets that are held under a lease another one. */
  renew(lease: Lease): void {
    for (const [id, change] of this.#keys) {
      if (change.kind === 'put' && change.lease !== undefined) this.#keys.set(id, { ...change, lease })
    }
  }

  /** What was missed of a key so far; {@link settle} takes it. */
  missedOf(key: Key): Change | undefined {
    return this.#keys.size > 0 ? this.#keys.get(idOf(key)) : undefined
  }

  /**
   * A change of this key reached the tier: what had been missed when it was made must not be replayed over it. What was
   * missed since is later, however long the change took.
   */
  settle(key: Key, missed: Change | undefined): void {
    if (missed) this.#forgetIfSame(key, missed)
  }

  /** What the tier would answer had it missed nothing. */
  correct(key: Key, answer: Entry | undefined): Entry | undefined {
    if (this.#overflowed) return undefined
    const own = this.#keys.get(idOf(key))
    if (own?.kind === 'put') return own.entry
    if (own && own.staleAt === undefined) return undefined
    let entry = answer
    for (const { selector, staleAt } of this.#groups) {
      if (entry === undefined || !selects(selector, entry)) continue
      entry = staleAt === undefined ? undefined : staleFrom(entry, staleAt)
    }
    return entry && own?.staleAt !== undefined ? staleFrom(entry, own.staleAt) : entry
  }

  /**
   * The next change to replay; `done` takes it out once the tier has it. Groups come before keys: an earlier put that a
   * later group covers was turned into a removal when the group came, so the order leads to the same contents.
   */
  next(): Change | undefined {
    if (this.#overflowed) return EVERYTHING
    return this.#groups[0] ?? this.#keys.values().next().value
  }

  /** The change was replayed. One recorded for the same key meanwhile stays. */
  done(change: Change): void {
    if (change === EVERYTHING) this.#overflowed = false
    else if (change.kind === 'put') this.#forgetIfSame(change.entry.key, change)
    else if (change.selector.kind === 'key') this.#forgetIfSame(change.selector.key, change)
    else this.#groups = this.#groups.filter((group) => group !== change)
  }

  /** A mark of what was set or removed before must not take its place: the value, or that there is none, would be lost. */
  #removeKey(key: Key, change: Extract<Change, { kind: 'remove' }>): void {
    const { staleAt } = change
    const before = this.#keys.get(idOf(key))
    if (staleAt === undefined || before === undefined) this.#setKey(key, change)
    else if (before.kind === 'put') this.#setKey(key, { ...before, entry: staleFrom(before.entry, staleAt) })
    else if (before.staleAt !== undefined && staleAt < before.staleAt) this.#setKey(key, change)
  }

  #setKey(key: Key, change: Change): void {
    this.#forgetKey(key)
    this.#keys.set(idOf(key), change)
    this.#bytes += bytesOf(change)
  }

  #addGroup(group: Extract<Change, { kind: 'remove' }>): void {
    for (const change of [...this.#keys.values()]) {
      if (change.kind !== 'put' || !selects(group.selector, change.entry)) continue
      const { key } = change.entry
      if (group.staleAt === undefined) this.#setKey(key, { kind: 'remove', selector: { kind: 'key', key } })
      else this.#setKey(key, { ...change, entry: staleFrom(change.entry, group.staleAt) })
    }
    this.#groups.push(group)
  }

  #forgetIfSame(key: Key, change: Change): void {
    if (this.#keys.get(idOf(key)) === change) this.#forgetKey(key)
  }

  #forgetKey(key: Key): void {
    const before = this.#keys.get(idOf(key))
    if (!before) return
    this.#keys.delete(idOf(key))
    this.#bytes -= bytesOf(before)
  }

  #overflow(): void {
    this.#groups = []
    this.#keys.clear()
    this.#bytes = 0
    this.#overflowed = true
  }
}

/** About: an exact size would mean encoding every value twice. */
const UNMEASURED_BYTES = 512

function bytesOf(change: Change): number {
  return change.kind === 'put' ? (change.entry.bytes ?? UNMEASURED_BYTES) : 64
}

function idOf(key: Key): string {
  return `${key.name}\0${key.id}`
}
