import type { Clock } from '../clock.ts'
import { Gate } from '../source/gate.ts'
import type { Section, ViewSettings } from './options.ts'
import { withDependencies, type Answer } from './snapshot.ts'

/** The gate of a view: the revision of each section from what the sources say. */
export class SectionGate {
  readonly #sections: readonly Section[]
  /** The sections that have a revision of their own. */
  readonly #asked: readonly string[]
  readonly #gate: Gate

  constructor({ name, sections, softMs, hardMs }: ViewSettings<unknown>, clock: Clock) {
    this.#sections = sections
    const own = sections.flatMap((it) => (it.revision === undefined ? [] : [{ name: it.name, revision: it.revision }]))
    this.#asked = own.map((it) => it.name)
    this.#gate = new Gate({ name, revisions: own.map(({ revision }) => revision), softMs, hardMs }, clock)
  }

  /** See {@link Gate.isOverdue}. */
  get isOverdue(): boolean {
    return this.#gate.isOverdue
  }

  /** The revisions as they are after this call. Errors: what a revision throws, `load-timeout`. */
  async ask(): Promise<Answer> {
    const { at, revisions } = await this.#gate.ask()
    const own = new Map(this.#asked.map((name, i) => [name, revisions[i] as string]))
    return { at, revisions: withDependencies(this.#sections, own) }
  }
}
