import { TidemarkError } from '../errors.ts'
import type { Context } from '../load/context.ts'
import { readRevisions } from '../source/revision.ts'
import type { Section, ViewSettings } from './options.ts'
import { withDependencies, type Answer } from './snapshot.ts'

/** Asking is given up after this, or after the view's own hard timeout if that is shorter. */
const GATE_MS_MAX = 5_000

interface Asking {
  readonly promise: Promise<Answer>
  readonly startedAt: number
}

/**
 * Asks the sources for their revisions, all of a view at once and one time after the other. Readers that come while it is
 * being asked share the next one: an answer that was under way may be from before what they have seen committed.
 */
export class Gate {
  readonly #settings: ViewSettings<unknown>
  readonly #context: Context
  readonly #asked: readonly { readonly name: string; readonly revision: NonNullable<Section['revision']> }[]
  #current: Asking | undefined
  #next: Promise<Answer> | undefined

  constructor(settings: ViewSettings<unknown>, context: Context) {
    this.#settings = settings
    this.#context = context
    this.#asked = settings.sections.flatMap(({ name, revision }) =>
      revision === undefined ? [] : [{ name, revision }],
    )
  }

  /** True while the sources take so long to answer that nobody should wait for them who need not. */
  get isOverdue(): boolean {
    if (!this.#current) return false
    return this.#context.clock.now() >= this.#current.startedAt + this.#settings.softMs
  }

  /** The revisions as they are after this call. Errors: what a revision throws, `load-timeout`. */
  ask(): Promise<Answer> {
    if (!this.#current) return this.#start()
    this.#next ??= this.#current.promise
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        // Somebody who came in between may have asked already: later than all who wait for this one.
        return this.#current?.promise ?? this.#start()
      })
    return this.#next
  }

  #start(): Promise<Answer> {
    const startedAt = this.#context.clock.now()
    const promise = this.#read(startedAt).finally(() => (this.#current = undefined))
    this.#current = { promise, startedAt }
    return promise
  }

  #read(startedAt: number): Promise<Answer> {
    const { clock } = this.#context
    const { name, sections, hardMs } = this.#settings
    const limitMs = Math.min(hardMs, GATE_MS_MAX)
    const controller = new AbortController()
    return new Promise<Answer>((resolve, reject) => {
      const cancel = clock.schedule(limitMs, () => {
        const message = `Asking for the revisions of ${name} took longer than ${limitMs} ms.`
        const late = new TidemarkError('load-timeout', message, { data: { name, hardMs: limitMs } })
        controller.abort(late)
        reject(late)
      })
      const revisions = this.#asked.map(({ revision }) => revision)
      readRevisions(revisions, controller.signal)
        .finally(cancel)
        .then((answer) => {
          const own = new Map(this.#asked.map((it, i) => [it.name, answer.revisions[i] as string]))
          resolve({ at: startedAt - answer.ageMs, revisions: withDependencies(sections, own) })
        })
        .catch(reject)
    })
  }
}
