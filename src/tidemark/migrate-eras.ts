import { identityConflicts, type Entry } from '../entry.ts'
import type { Key } from '../key.ts'
import type { Tier } from '../tier/tier.ts'

const SLICE = 100
/** So many answers are kept; one that was forgotten is found again. */
const ANSWERS_MAX = 10_000

/**
 * Tells whether a tier has another life of an era than the one that comes: keys that were used again. Entries of both
 * together would be a mixture nobody ever stored (contract C1, `era-switch-atomic`).
 */
export class OtherEras {
  readonly #from: Tier
  readonly #to: Tier
  readonly #answers = new Map<string, Promise<boolean>>()

  constructor(from: Tier, to: Tier) {
    this.#from = from
    this.#to = to
  }

  /** True when what the target has of the entry's era and scope is of another life. */
  has({ era, scope }: Entry): Promise<boolean> {
    if (era === undefined || scope === undefined) return Promise.resolve(false)
    const id = JSON.stringify([era, scope])
    let answer = this.#answers.get(id)
    if (answer) return answer
    answer = this.#differs(era, scope)
    if (this.#answers.size >= ANSWERS_MAX) this.#answers.clear()
    this.#answers.set(id, answer)
    return answer
  }

  async #differs(era: string, scope: string): Promise<boolean> {
    const names = new Set<string>()
    for await (const { key } of this.#from.keys({ kind: 'era', era, scope })) names.add(key.name)
    let slice: Promise<boolean>[] = []
    for await (const { key } of this.#to.keys({ kind: 'era', era, scope })) {
      slice.push(this.#conflicts(key, names))
      if (slice.length < SLICE) continue
      if ((await Promise.all(slice)).includes(true)) return true
      slice = []
    }
    return (await Promise.all(slice)).includes(true)
  }

  /** Within an era, equal keys name the same thing, whatever is stored of it. */
  async #conflicts(key: Key, names: ReadonlySet<string>): Promise<boolean> {
    const there = await this.#to.get(key)
    if (there?.identity === undefined) return false
    for (const name of names) {
      const here = await this.#from.get({ name, id: key.id })
      if (identityConflicts(here?.identity, there.identity)) return true
    }
    return false
  }
}
