import { FOREVER } from '../entry.ts'
import { keyId, type Key, type Selector } from '../key.ts'
import type { Guard } from './guard.ts'

/** What a tier in trouble was not told: something was removed, or, with `staleAt`, marked stale. */
interface Note {
  /** The tier's name. */
  readonly about: string
  /** Its store, where not everybody has the same and it was known. */
  readonly store: string | undefined
  /** Which cache wrote it. */
  readonly by: string
  readonly selector: Selector
  readonly staleAt: number | undefined
}

/** A note and where it lies in its keeper. */
interface Kept {
  readonly note: Note
  readonly key: Key
}

const NAME = '#journal'
/** With more notes than this there is one instead: everything the tier has is void. */
const NOTES_MAX = 10_000
const ALL: Selector = { kind: 'all' }
/** What nobody has told by then is of a store that is gone, or of no consequence. */
const KEPT_MS = 30 * 86_400_000

/**
 * What the tiers of one cache missed, written down in another persistent tier that works: so that a value deleted while its
 * tier was down stays deleted even if the process ends before the tier is back (contract C3, `outage-journal-replay`).
 * Only removals are written: a value that was set meanwhile lies in the tiers that work, and may be secret.
 *
 * Everybody may tell a tier what others wrote down about it, and takes away what it has told; no more than that, as others
 * may be writing just now. A note about a file is only for those who have the same file.
 */
export class Notes {
  readonly #guards: readonly Guard[]
  readonly #owner: string = crypto.randomUUID()
  readonly #pending = new Map<Guard, Map<string, Kept>>()

  constructor(guards: readonly Guard[]) {
    this.#guards = guards
  }

  /** True when another tier could keep notes about this one. */
  canKeep(about: Guard): boolean {
    return this.#guards.some((guard) => guard !== about && guard.capabilities.persistent)
  }

  has(about: Guard): boolean {
    return this.#pending.has(about)
  }

  /** Resolves when a tier has the note, or when none can take it. */
  async add(about: Guard, selector: Selector, staleAt: number | undefined, now: number): Promise<void> {
    let kept = this.#pending.get(about)
    if (!kept) this.#pending.set(about, (kept = new Map()))
    if (kept.has(this.#keyOf(about, ALL).id)) return
    const isTooMany = kept.size >= NOTES_MAX
    const what = isTooMany ? ALL : selector
    const key = this.#keyOf(about, what)
    const before = kept.get(key.id)?.note
    // A mark says less than a removal, and of two marks the earlier one says more.
    if (before && staleAt !== undefined && !(before.staleAt !== undefined && staleAt < before.staleAt)) return
    const note = { about: about.name, store: about.storeId?.(), by: this.#owner, selector: what }
    const it = { key, note: { ...note, staleAt: isTooMany ? undefined : staleAt } }
    kept.set(key.id, it)
    await this.#write(about, it, now)
  }

  /** Everything was removed from the tier that keeps them: they are written again. */
  async rewrite(now: number): Promise<void> {
    for (const [about, kept] of this.#pending) {
      for (const it of kept.values()) await this.#write(about, it, now)
    }
  }

  /** The tier has been told everything: nobody needs these notes any more. */
  async clear(about: Guard): Promise<void> {
    const kept = this.#pending.get(about)
    if (!kept) return
    this.#pending.delete(about)
    for (const guard of this.#keepersOf(about)) {
      await guard.remove({ kind: 'scope', scope: this.#scopeOf(about), name: NAME })
      for (const { key, note } of kept.values()) {
        if (note.by !== this.#owner && isSettled(note, about, guard)) await guard.remove({ kind: 'key', key })
      }
    }
  }

  /** What others wrote down about a tier is told to it now, or kept until it can be told. */
  async tell(about: Guard): Promise<void> {
    const found = new Map<string, Kept>()
    for (const guard of this.#keepersOf(about)) {
      for await (const { key } of guard.keys({ kind: 'name', name: NAME })) {
        const note = (await guard.get(key))?.value as Note | undefined
        if (note && isFor(note, about)) found.set(key.id, { key, note })
      }
    }
    if (found.size === 0) return
    this.#pending.set(about, found)
    for (const { note } of found.values()) await about.remove(note.selector, note.staleAt)
    // At once: told again at the next start, it would void what is set from now on.
    if (about.isCalm) await this.clear(about)
  }

  async #write(about: Guard, { key, note }: Kept, now: number): Promise<void> {
    const keeper = this.#keepersOf(about).find((guard) => guard.isCalm)
    const times = { freshUntil: FOREVER, staleUntil: FOREVER, errorUntil: FOREVER, keepUntil: now + KEPT_MS }
    const scope = note.by === this.#owner ? this.#scopeOf(about) : undefined
    await keeper?.put({ key, value: note, loadedAt: now, ...times, scope })
  }

  #keepersOf(about: Guard): Guard[] {
    return this.#guards.filter((guard) => guard !== about && guard.capabilities.persistent)
  }

  /** One note of each cache for each thing that was removed. */
  #keyOf(about: Guard, selector: Selector): Key {
    return { name: NAME, id: keyId([about.name, this.#owner, JSON.stringify(selector)]) }
  }

  #scopeOf(about: Guard): string {
    return `${NAME} ${about.name} ${this.#owner}`
  }
}

/** False for a note about another store of the same name. */
function isFor(note: Note, about: Guard): boolean {
  if (note.about !== about.name) return false
  const store = about.storeId?.()
  return note.store === undefined || store === undefined || note.store === store
}

/** Whether it is settled for all once this tier was told. A file that could not be told from others may be another machine's. */
function isSettled(note: Note, about: Guard, keeper: Guard): boolean {
  if (!about.storeId || keeper.storeId) return true
  return note.store !== undefined && note.store === about.storeId()
}
