import { FOREVER } from '../entry.ts'
import { keyId, type Selector } from '../key.ts'
import type { Guard } from './guard.ts'

/** What a tier in trouble was not told: something was removed, or, with `staleAt`, marked stale. */
interface Note {
  readonly selector: Selector
  readonly staleAt?: number | undefined
}

const NAME = '#journal'
/** With more notes than this there is one instead: everything the tier has is void. */
const NOTES_MAX = 10_000
const EVERYTHING: Note = { selector: { kind: 'all' } }

/**
 * What the tiers of one cache missed, written down in another persistent tier that works: so that a value deleted while its
 * tier was down stays deleted even if the process ends before the tier is back (contract C3, `outage-journal-replay`).
 * Only removals are written: a value that was set meanwhile lies in the tiers that work, and may be secret.
 */
export class Notes {
  readonly #guards: readonly Guard[]
  readonly #pending = new Map<Guard, Map<string, Note>>()

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
    let notes = this.#pending.get(about)
    if (!notes) this.#pending.set(about, (notes = new Map()))
    if (notes.has(idOf(about, EVERYTHING))) return
    const note = notes.size >= NOTES_MAX ? EVERYTHING : { selector, staleAt }
    if (note === EVERYTHING) notes.clear()
    notes.set(idOf(about, note), note)
    await this.#write(about, note, now)
  }

  /** Everything was removed from the tier that keeps them: they are written again. */
  async rewrite(now: number): Promise<void> {
    for (const [about, notes] of this.#pending) {
      for (const note of notes.values()) await this.#write(about, note, now)
    }
  }

  /** The tier has been told everything: nobody needs its notes any more. */
  async clear(about: Guard): Promise<void> {
    this.#pending.delete(about)
    for (const guard of this.#keepersOf(about)) await guard.remove(notesAbout(about))
  }

  /** What earlier processes wrote down about a tier is told to it now, or kept until it can be told. */
  async tell(about: Guard): Promise<void> {
    const found = new Map<string, Note>()
    for (const guard of this.#keepersOf(about)) {
      for await (const { key } of guard.keys(notesAbout(about))) {
        const note = (await guard.get(key))?.value as Note | undefined
        if (note) found.set(key.id, note)
      }
    }
    if (found.size === 0) return
    this.#pending.set(about, found)
    for (const { selector, staleAt } of found.values()) await about.remove(selector, staleAt)
  }

  async #write(about: Guard, note: Note, now: number): Promise<void> {
    const keeper = this.#keepersOf(about).find((guard) => guard.isCalm)
    const times = { freshUntil: FOREVER, staleUntil: FOREVER, errorUntil: FOREVER, keepUntil: FOREVER }
    const key = { name: NAME, id: idOf(about, note) }
    await keeper?.put({ key, value: note, loadedAt: now, ...times, scope: scopeOf(about) })
  }

  #keepersOf(about: Guard): Guard[] {
    return this.#guards.filter((guard) => guard !== about && guard.capabilities.persistent)
  }
}

function notesAbout(about: Guard): Selector {
  return { kind: 'scope', scope: scopeOf(about), name: NAME }
}

function scopeOf(about: Guard): string {
  return `${NAME} ${about.name}`
}

/** One note for each thing that was removed: the last word on it counts. */
function idOf(about: Guard, { selector }: Note): string {
  return keyId([about.name, JSON.stringify(selector)])
}
