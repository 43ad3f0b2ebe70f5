import type { Entry } from '../entry.ts'
import type { Era } from '../era/era.ts'
import { isTidemarkError, type ErrorCode } from '../errors.ts'
import type { Context } from '../load/context.ts'
import { Unopened } from '../seal/unopened.ts'
import type { Lease } from '../tier/tier.ts'
import { EXPORT_PURPOSE, newestOf } from './export.ts'
import { EXPORT_VERSION, entryOfFields, fieldsOf, refused } from './export-line.ts'
import { linesOf, type LineSource } from './lines.ts'

/** A line that was not taken in. */
export interface ImportProblem {
  /** Counted from 1. */
  readonly line: number
  readonly outcome: 'skipped' | 'failed'
  /** Of one that failed. */
  readonly code: ErrorCode | undefined
  readonly message: string
}

/** What became of an import. */
export interface ImportReport {
  readonly imported: number
  /** Past its time, or there already, as new or newer. */
  readonly skipped: number
  /** Damaged, sealed under a key that is not there, not sealed where it has to be, or of a name that nothing here has. */
  readonly failed: number
  /** Why, line by line; the first 1000. */
  readonly problems: readonly ImportProblem[]
  /** False when the end of the export is missing: it was cut off. */
  readonly isComplete: boolean
}

const SLICE = 100
const PROBLEMS_MAX = 1000

type Outcome = 'imported' | Omit<ImportProblem, 'line'>
interface Line {
  readonly number: number
  readonly text: string
}

/** Takes in what an export wrote. Rejects with `import-refused` when it begins with something else; `closed`. */
export class Import {
  readonly #context: Context
  readonly #eraOf: (name: string) => Era | undefined
  readonly #problems: ImportProblem[] = []
  readonly #counts = { imported: 0, skipped: 0, failed: 0 }
  /** How many entries the end of the export spoke of. */
  #announced: number | undefined

  constructor(context: Context, eraOf: (name: string) => Era | undefined) {
    this.#context = context
    this.#eraOf = eraOf
  }

  async run(source: LineSource): Promise<ImportReport> {
    let slice: Line[] = []
    let isFirst = true
    for await (const line of linesOf(source)) {
      if (isFirst) checkHead(line.text)
      else slice.push(line)
      isFirst = false
      if (slice.length < SLICE) continue
      await this.#takeAll(slice)
      slice = []
    }
    if (isFirst) throw refused('There is nothing to import.')
    await this.#takeAll(slice)
    const { imported, skipped, failed } = this.#counts
    const isComplete = this.#announced === imported + skipped + failed
    return { ...this.#counts, problems: this.#problems, isComplete }
  }

  /** In one turn, so that a tier that commits by turns takes them together. */
  async #takeAll(lines: readonly Line[]): Promise<void> {
    this.#context.refuseIfClosed()
    // Before anything is looked at: what is set or removed from here on stays as it is.
    const lease = await this.#context.stack.lease()
    const outcomes = await Promise.all(lines.map(({ text }) => this.#take(text, lease)))
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome === undefined) continue
      if (outcome === 'imported') {
        this.#counts.imported++
        continue
      }
      this.#counts[outcome.outcome]++
      if (this.#problems.length < PROBLEMS_MAX) this.#problems.push({ line: lines[i]?.number ?? 0, ...outcome })
    }
  }

  async #take(text: string, lease: Lease): Promise<Outcome | undefined> {
    try {
      const fields = fieldsOf(text)
      if (fields['end'] === true) {
        this.#announced = Number(fields['entries'])
        return undefined
      }
      return await this.#store(this.#opened(entryOfFields(fields)), lease)
    } catch (error) {
      if (isTidemarkError(error, 'closed') || !isTidemarkError(error)) throw error
      return { outcome: 'failed', code: error.code, message: error.message }
    }
  }

  /** With its secrets, which have to be sealed in the line. */
  #opened(entry: Entry): Entry {
    const { names, sealer } = this.#context
    const { name } = entry.key
    // What nothing here knows, nobody here could say what is secret in.
    if (!names.includes(name.replace(/#.*$/s, ''))) throw refused(`Nothing here has the name ${JSON.stringify(name)}.`)
    const opened = sealer.open(entry, EXPORT_PURPOSE)
    if (opened instanceof Unopened) throw opened.error
    return opened
  }

  async #store(entry: Entry, lease: Lease): Promise<Outcome> {
    const { era, scope, identity } = entry
    const ends = era === undefined ? undefined : this.#eraOf(era)
    if (!ends || scope === undefined || identity === undefined) return this.#put(entry, lease)
    return ends.exclusively(scope, async () => {
      const other = await ends.conflictWith(entry.key.id, identity)
      return other === undefined ? this.#put(entry, lease) : skipped('its key names another thing by now')
    })
  }

  async #put(entry: Entry, lease: Lease): Promise<Outcome> {
    const { clock, stack, handout } = this.#context
    if (clock.now() >= entry.keepUntil) return skipped('it is past its time')
    const known = await newestOf(entry.key, this.#context)
    if (known && known.loadedAt >= entry.loadedAt) return skipped('what is here is as new, or newer')
    const stored = await stack.put({ ...entry, value: handout.admit(entry.value) }, lease)
    return stored ? 'imported' : skipped('it was changed meanwhile')
  }
}

function checkHead(text: string): void {
  const { tidemark, version } = fieldsOf(text)
  if (tidemark !== 'export') throw refused('It does not begin with the head of an export.')
  if (version !== EXPORT_VERSION) throw refused(`It was written in version ${String(version)} of the format.`)
}

function skipped(message: string): Outcome {
  return { outcome: 'skipped', code: undefined, message }
}
