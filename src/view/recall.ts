import { selects } from '../entry.ts'
import type { Selector } from '../key.ts'
import type { Context } from '../load/context.ts'
import type { StackChange } from '../stack/stack.ts'
import type { Builds } from './builds.ts'
import type { Held } from './held.ts'
import type { ViewSettings } from './options.ts'
import type { Shelf } from './shelf.ts'
import type { Built } from './snapshot.ts'

/** What a view knows from the tiers: its last snapshot after a restart, and what was changed elsewhere. */
export class Recall<V> {
  readonly #settings: ViewSettings<V>
  readonly #held: Held<V>
  readonly #shelf: Shelf
  readonly #builds: Builds<V>
  /** Changes of our own that the stack is about to tell us of. */
  readonly #own = new Set<Selector>()
  #isStoring = false
  #isRestored = false
  /** Sections that may have been changed elsewhere, each with a turn from after that was noticed. */
  readonly #doubts = new Map<string, number>()
  #looking: Promise<void> | undefined

  constructor(settings: ViewSettings<V>, context: Context, held: Held<V>, shelf: Shelf, builds: Builds<V>) {
    this.#settings = settings
    this.#held = held
    this.#shelf = shelf
    this.#builds = builds
    context.stack.onChange((change) => this.#changed(change))
  }

  /** Looks in the tiers, when there is a reason to. */
  async ready(): Promise<void> {
    if (this.#isRestored && this.#doubts.size === 0) return
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined))
    await this.#looking
  }

  /** Makes a change that readers of this view know of already. */
  async quietly<T>(selector: undefined, work: () => Promise<T>): Promise<T>
  async quietly<T>(selector: Selector, work: (selector: Selector) => Promise<T>): Promise<T>
  async quietly<T>(selector: Selector | undefined, work: (selector: Selector) => Promise<T>): Promise<T> {
    if (!selector) {
      // A set is told of before the call returns.
      this.#isStoring = true
      const done = work(undefined as never)
      this.#isStoring = false
      return done
    }
    this.#own.add(selector)
    return work(selector).finally(() => this.#own.delete(selector))
  }

  #changed(change: StackChange): void {
    if ('slots' in change) {
      // Another process: what exactly it did the tiers know.
      const turn = this.#held.nextTurn()
      for (const name of this.#shelf.concerned(change.slots)) this.#doubts.set(name, turn)
      return
    }
    const { selector } = change
    if (this.#isStoring || this.#own.has(selector)) return
    const keys = this.#settings.sections.map(({ name }) => this.#shelf.keyOf(name))
    if (keys.some((key) => selects(selector, { key }))) this.#held.forget()
  }

  async #look(): Promise<void> {
    if (this.#held.snapshot) {
      const doubts = new Map(this.#doubts)
      this.#doubts.clear()
      await this.#doubt(doubts)
    } else if (!this.#isRestored) await this.#restore()
    // Else it is looked at when the build under way has brought something.
    this.#isRestored = true
  }

  /** The last snapshot, of this process or another one, if all of it is there. */
  async #restore(): Promise<void> {
    const { epoch } = this.#held
    const sections = new Map<string, Built>()
    const invalidated: string[] = []
    for (const section of this.#settings.sections) {
      const shelved = await this.#shelf.find(section)
      if (!shelved) return
      sections.set(section.name, shelved.built)
      if (shelved.isInvalidated) invalidated.push(section.name)
    }
    if (this.#held.snapshot || this.#held.epoch !== epoch) return
    this.#held.snapshot = this.#builds.snapshotOf(sections, undefined)
    for (const name of invalidated) this.#held.mark(name)
  }

  /** What a change elsewhere, or one that shares a slot with us, left of what is held. */
  async #doubt(doubts: ReadonlyMap<string, number>): Promise<void> {
    const { snapshot } = this.#held
    if (!snapshot) return
    const moved: string[] = []
    const newer = new Map<string, Built>()
    for (const section of this.#settings.sections) {
      const { name } = section
      const since = doubts.get(name)
      if (since === undefined) continue
      const built = snapshot.sections.get(name) as Built
      if (!built.isStored) {
        // Perhaps no tier took it because of this very change: it came while the section was being built.
        if (built.turn < since) moved.push(name)
        continue
      }
      const shelved = await this.#shelf.find(section)
      if (this.#held.snapshot !== snapshot) return this.#doubt(doubts)
      if (!shelved) return this.#held.forget()
      // Invalidated and built again elsewhere, before we looked: its revision need not tell.
      const laterMs = shelved.built.builtAt - built.builtAt
      if (shelved.isInvalidated || laterMs < 0) moved.push(name)
      else if (laterMs > 0) newer.set(name, { ...shelved.built, turn: built.turn })
    }
    if (newer.size > 0) {
      const sections = new Map([...snapshot.sections, ...newer])
      this.#held.snapshot = this.#builds.snapshotOf(sections, snapshot)
    }
    for (const name of moved) this.#held.mark(name)
  }
}
