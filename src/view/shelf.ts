import { FOREVER, WINDOW_MS_MAX, type Entry } from '../entry.ts'
import type { Key } from '../key.ts'
import type { Context } from '../load/context.ts'
import { slotsOfEntry } from '../slot.ts'
import type { ChangedSlots, Lease } from '../tier/tier.ts'
import type { Section, ViewSettings } from './options.ts'
import type { Built } from './snapshot.ts'

/** What is stored of a section besides its revision. */
interface Stored {
  readonly version: string
  readonly builtAt: number
  readonly value: unknown
}

/** A section as a tier has it. */
export interface Shelved {
  readonly built: Built
  /** Somebody said that it has changed. */
  readonly isInvalidated: boolean
}

/** Where the sections of a view lie in the tiers: an entry for each, so that one that is rebuilt is written alone. */
export class Shelf {
  readonly #settings: ViewSettings<unknown>
  readonly #context: Context
  readonly #slots: ReadonlyMap<string, readonly number[]>

  constructor(settings: ViewSettings<unknown>, context: Context) {
    this.#settings = settings
    this.#context = context
    this.#slots = new Map(settings.sections.map(({ name }) => [name, slotsOfEntry(this.keyOf(name), {})]))
  }

  keyOf(section: string): Key {
    return { name: this.#settings.name, id: section }
  }

  /** A key of its own for the right to build: taking a claim over touches its slot, which is nobody's news here. */
  get claimKey(): Key {
    return { name: `${this.#settings.name}#build`, id: '' }
  }

  /** The sections a change elsewhere may concern. */
  concerned(changed: ChangedSlots): string[] {
    const sections = [...this.#slots]
    const isConcerned = (slots: readonly number[]): boolean =>
      changed === 'all' || slots.some((slot) => changed.includes(slot))
    return sections.flatMap(([name, slots]) => (isConcerned(slots) ? [name] : []))
  }

  /** The section as it is stored; with a revision, only one of that revision that nobody invalidated. */
  async find({ name }: Section, revision?: string): Promise<Shelved | undefined> {
    const { stack, handout } = this.#context
    const accepts = (entry: Entry): boolean =>
      entry.revision !== undefined &&
      (entry.value as Partial<Stored> | null)?.version === this.#settings.version &&
      (revision === undefined || (entry.revision === revision && entry.staleAt === undefined))
    const found = await stack.read(this.keyOf(name), accepts)
    if (!found?.isAccepted) return undefined
    const { entry } = found
    const { value, builtAt } = entry.value as Stored
    const built = {
      value: handout.admit(value),
      revision: entry.revision as string,
      builtAt,
      asOf: entry.loadedAt,
      turn: 0,
      isStored: true,
    }
    return { built, isInvalidated: entry.staleAt !== undefined }
  }

  /** Stores sections under a lease, or, without one, as an explicit set. Resolves to whether all of them were stored. */
  async put(sections: ReadonlyMap<string, Built>, lease: Lease | undefined): Promise<boolean> {
    // All are handed over in one turn: a tier that commits by turns takes all of them or none.
    const puts = Array.from(sections, ([name, built]) => this.#context.stack.put(this.#entryOf(name, built), lease))
    const isStored = (await Promise.all(puts)).every(Boolean)
    if (isStored) for (const built of sections.values()) built.isStored = true
    return isStored
  }

  #entryOf(name: string, built: Built): Entry {
    const { version, errorMs } = this.#settings
    const until = FOREVER + Math.min(errorMs, WINDOW_MS_MAX)
    const value: Stored = { version, builtAt: built.builtAt, value: built.value }
    return {
      key: this.keyOf(name),
      value,
      // Of two builds the one that read its revision later is the newer one, whichever took longer.
      loadedAt: built.asOf,
      // Its revision says whether it is fresh, not the time; once it is invalidated it is kept for as long as it may serve.
      freshUntil: FOREVER,
      staleUntil: until,
      errorUntil: until,
      keepUntil: until,
      revision: built.revision,
    }
  }
}
