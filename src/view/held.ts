import type { Clock } from '../clock.ts'
import { CLOCK_SKEW_MS_MAX } from '../policy/judge.ts'
import type { Section, ViewSettings } from './options.ts'
import type { Answer, Built, Snapshot } from './snapshot.ts'

/** What a view holds in memory: the last snapshot, and what is known to have changed since. */
export class Held<V> {
  snapshot: Snapshot<V> | undefined
  /** Counts what was forgotten: a build from before must not bring it back. */
  epoch = 0
  readonly #settings: ViewSettings<V>
  readonly #clock: Clock
  /** Sections somebody said to have changed, each with the number of the last time. */
  readonly #marks = new Map<string, number>()
  #turn = 0

  constructor(settings: ViewSettings<V>, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
  }

  /** A number larger than that of everything that has begun. */
  nextTurn(): number {
    return ++this.#turn
  }

  /** Says that a section has changed, and with it what depends on it. Returns all of them. */
  mark(name: string): string[] {
    const changed = [name]
    for (const section of this.#settings.sections) {
      if (section.dependsOn.some((it) => changed.includes(it)) && section.name !== name) changed.push(section.name)
    }
    for (const it of changed) this.#marks.set(it, this.nextTurn())
    return changed
  }

  /** The marks of some sections now, for {@link unmark} after they were built. */
  marksOf(names: readonly string[]): ReadonlyMap<string, number> {
    return new Map([...this.#marks].filter(([name]) => names.includes(name)))
  }

  /** Takes back what was marked before a build began; what was marked while it ran stays. */
  unmark(marks: ReadonlyMap<string, number>): void {
    for (const [name, mark] of marks) if (this.#marks.get(name) === mark) this.#marks.delete(name)
  }

  isMarked(name: string): boolean {
    return this.#marks.has(name)
  }

  /** Drops everything; what is being built is not kept when it is there. */
  forget(): void {
    this.epoch++
    this.snapshot = undefined
    this.#marks.clear()
  }

  /** The sections that have moved, as far as a reader can know that arrived at a turn and was given this answer. */
  moved(answer: Answer, arrived: number): Section[] {
    const now = this.#clock.now()
    return this.#settings.sections.filter((section) => {
      const built = this.snapshot?.sections.get(section.name)
      if (!built) return true
      // Begun after the reader came: it is newer than the reader's answer.
      if (built.turn > arrived) return false
      return !this.#holds(section.name, built, answer) || this.isOld(built, now)
    })
  }

  /** The sections whose build did not begin after a turn. */
  builtBefore(arrived: number): Section[] {
    return this.#settings.sections.filter(({ name }) => !((this.snapshot?.sections.get(name)?.turn ?? 0) > arrived))
  }

  /** Notes that what did not move is as of this answer. */
  confirm(answer: Answer): void {
    for (const [name, built] of this.snapshot?.sections ?? []) {
      if (this.#holds(name, built, answer)) built.asOf = Math.max(built.asOf, answer.at)
    }
  }

  /**
   * How long at most some sections may have been out of date, as far as an answer tells, or without one.
   * `Infinity` for what is missing, and for what comes from the future: a clock was set back.
   */
  staleForMs(sections: readonly Section[], answer?: Answer): number {
    const now = this.#clock.now()
    const ages = sections.map(({ name }) => {
      const built = this.snapshot?.sections.get(name)
      if (!built || built.asOf > now) return Number.POSITIVE_INFINITY
      const since = answer && this.#holds(name, built, answer) ? built.builtAt + this.#settings.maxAgeMs : built.asOf
      return now - since
    })
    return Math.max(0, ...ages)
  }

  #holds(name: string, built: Built, answer: Answer): boolean {
    return !this.isMarked(name) && built.revision === answer.revisions.get(name)
  }

  /** Too old, whatever its revision says. */
  isOld(built: Built, now: number): boolean {
    const { maxAgeMs } = this.#settings
    if (now >= built.builtAt + maxAgeMs) return true
    // How old it is nobody knows: a clock was set back.
    return maxAgeMs < Number.POSITIVE_INFINITY && built.builtAt > now + CLOCK_SKEW_MS_MAX
  }
}
