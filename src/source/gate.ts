import type { Clock } from '../clock.ts'
import { TidemarkError } from '../errors.ts'
import { givingUpAfter } from '../pg/client.ts'
import type { Revision } from '../revision.ts'
import { readRevisions } from './read-revisions.ts'

/** Asking is given up after this, or after the asker's own hard timeout if that is shorter. */
const GATE_MS_MAX = 5_000
/** Not sooner, whatever the asker's timeout: who only was slow shall not lose connections. Not before the asker is told. */
const STATEMENT_MS_MAX = GATE_MS_MAX + 250

/** Whom a gate is for. */
export interface GateSettings {
  /** Named in errors. */
  readonly name: string
  /** Asked all at once. */
  readonly revisions: readonly Revision[]
  /** After this an answer is overdue. */
  readonly softMs: number
  readonly hardMs: number
}

/** What the sources say. */
export interface GateAnswer {
  /** The data is not older than this: the moment before the sources were asked. */
  readonly at: number
  /** Of two answers of one gate the later one has the larger number. */
  readonly turn: number
  /** In the order of the settings. */
  readonly revisions: readonly string[]
}

interface Asking {
  readonly promise: Promise<GateAnswer>
  readonly startedAt: number
}

/**
 * Asks sources for their revisions, all at once and one time after the other. Readers that come while they are being
 * asked share the next answer: one that was under way may be from before what they have seen committed.
 */
export class Gate {
  readonly #settings: GateSettings
  readonly #clock: Clock
  #current: Asking | undefined
  #next: Promise<GateAnswer> | undefined
  #lastTurn = 0

  constructor(settings: GateSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
  }

  /** True while the sources take so long to answer that nobody should wait for them who need not. */
  get isOverdue(): boolean {
    if (!this.#current) return false
    return this.#clock.now() >= this.#current.startedAt + this.#settings.softMs
  }

  /** The revisions as they are after this call. Errors: what a revision throws, `load-timeout`. */
  ask(): Promise<GateAnswer> {
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

  #start(): Promise<GateAnswer> {
    const startedAt = this.#clock.now()
    const promise = this.#read(startedAt, ++this.#lastTurn).finally(() => (this.#current = undefined))
    this.#current = { promise, startedAt }
    return promise
  }

  #read(startedAt: number, turn: number): Promise<GateAnswer> {
    const { name, revisions, hardMs } = this.#settings
    const limitMs = Math.min(hardMs, GATE_MS_MAX)
    const controller = new AbortController()
    return new Promise<GateAnswer>((resolve, reject) => {
      const cancel = this.#clock.schedule(limitMs, () => {
        const message = `Asking for the revisions of ${name} took longer than ${limitMs} ms.`
        const late = new TidemarkError('load-timeout', message, { data: { name, hardMs: limitMs } })
        controller.abort(late)
        reject(late)
      })
      givingUpAfter(STATEMENT_MS_MAX, () => readRevisions(revisions, controller.signal))
        .finally(cancel)
        .then((answer) => resolve({ at: startedAt - answer.ageMs, turn, revisions: answer.revisions }))
        .catch(reject)
    })
  }
}
