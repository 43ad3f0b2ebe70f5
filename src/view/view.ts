import { invalidOption } from '../errors.ts'
import type { Context } from '../load/context.ts'
import { orLate } from '../load/deadline.ts'
import { Hold } from '../load/hold.ts'
import { isRefresh, type ReadOptions } from '../load/read-options.ts'
import type { StaleReason } from '../load/serve.ts'
import type { NameCounters, NameStats } from '../observe/counters.ts'
import { Builds, type BuildRequest } from './builds.ts'
import { explainView, type ViewExplanation } from './explain.ts'
import { SectionGate } from './gate.ts'
import { Held } from './held.ts'
import { resolveView, type Section, type ViewOptions, type ViewSettings } from './options.ts'
import { Reporter } from './reporter.ts'
import type { ViewReading, ViewRevisions } from './reading.ts'
import { Recall } from './recall.ts'
import { Shelf } from './shelf.ts'
import { combinedRevision, type Answer, type Built, type Snapshot } from './snapshot.ts'

/** What asking for revisions came to. */
type Asked = { readonly answer: Answer } | { readonly reason: StaleReason; readonly error?: unknown }

/**
 * A value built from sections, each as good as its revision: a read asks for all revisions in one round trip, and builds
 * only what has moved. Made by `tide.view`.
 *
 * @example
 * const summary = tide.view({ name: 'summary', maxStale: '5m', sections: {
 *   core: { revision: pgRevision(['topics', 'tasks'], { client: pool }), build: () => buildCore(pool) },
 *   progress: { revision: pgRevision(['progress_events'], { client: pool }), build: () => recentProgress(pool, 20) },
 * } })
 * const { value, status } = await summary.read()
 */
export class View<S extends object, V = S> {
  readonly name: string
  readonly #settings: ViewSettings<V>
  readonly #context: Context
  readonly #hold: Hold
  readonly #held: Held<V>
  readonly #gate: SectionGate
  readonly #shelf: Shelf
  readonly #builds: Builds<V>
  readonly #recall: Recall<V>
  readonly #report: Reporter<V>
  readonly #counters: NameCounters

  constructor(options: ViewOptions<S, V>, context: Context) {
    this.#settings = resolveView(options, context)
    this.name = this.#settings.name
    this.#context = context
    this.#hold = new Hold(context.clock, this.#settings.hardMs)
    this.#counters = context.hub.of(this.name)
    this.#held = new Held(this.#settings, context.clock)
    this.#gate = new SectionGate(this.#settings, context.clock)
    this.#shelf = new Shelf(this.#settings, context)
    this.#builds = new Builds(this.#settings, context, this.#held, this.#shelf)
    this.#recall = new Recall(this.#settings, context, this.#held, this.#shelf, this.#builds)
    this.#report = new Reporter(this.#settings, context, this.#held)
  }

  /** The value; see {@link read}. */
  async get(options?: ReadOptions): Promise<V> {
    return (await this.read(options)).value
  }

  /**
   * The value with what is known about it. Asks for the revisions, and then hands out what is there (`hit`), rebuilds the
   * sections that moved (`partial`), hands out the last snapshot and rebuilds behind it (`stale`), or builds (`miss`).
   *
   * @param options `refresh`: build every section anew, beginning after this call; its failure is the caller's
   * @throws what a builder, `combine` or a revision throws, where no snapshot may be handed out instead; `load-timeout`,
   *   `load-returned-undefined`, `reentrant-load`, `closed`
   */
  read(options?: ReadOptions): Promise<ViewReading<V>> {
    return this.#hold.during(this.#read(options))
  }

  async #read(options: ReadOptions | undefined): Promise<ViewReading<V>> {
    this.#context.refuseIfClosed()
    const isForced = isRefresh(this.name, options)
    const arrived = this.#held.nextTurn()
    if (this.#context.isStrict) await this.#context.stack.check()
    if (isForced) return this.#refreshed(arrived)
    await this.#recall.ready()
    const asked = await this.#ask()
    if (!('answer' in asked)) return this.#report.stale([], asked.reason, false, asked.error)
    return this.#judge(asked.answer, arrived)
  }

  /** The revisions as they are now, of each section and of all together. Builds nothing. */
  async revisions(): Promise<ViewRevisions> {
    this.#context.refuseIfClosed()
    const { revisions } = await this.#gate.ask()
    const combined = combinedRevision(this.#settings, (name) => revisions.get(name))
    return { combined, sections: Object.fromEntries(revisions) }
  }

  /**
   * Says that a section, or all of them, has changed, whatever its revision says: for changes no revision sees. From this
   * call on readers in this process know; what is being built now will not do for them. Other processes that share a tier
   * hear of it.
   */
  async invalidate(section: (keyof S & string) | 'all'): Promise<void> {
    this.#context.refuseIfClosed()
    const named = this.#settings.sections.filter(({ name }) => section === 'all' || name === section)
    if (named.length === 0) throw invalidOption('section', `'all' or one of ${this.#names().join(', ')}`, section)
    const names = [...new Set(named.flatMap(({ name }) => this.#held.mark(name)))]
    this.#counters.invalidations++
    const { stack, clock, hub } = this.#context
    const staleAt = clock.now()
    await Promise.all(
      names.map((name) =>
        this.#recall.quietly({ kind: 'key', key: this.#shelf.keyOf(name) }, (it) => stack.remove(it, staleAt)),
      ),
    )
    hub.emit({ type: 'invalidated', name: this.name, key: section, count: names.length })
  }

  /** Forgets everything: snapshot, last failure, and what tiers have. Who waits for a build gets it; it is kept nowhere. */
  async reset(): Promise<void> {
    this.#context.refuseIfClosed()
    this.#held.forget()
    this.#builds.detach()
    this.#builds.backoff.succeeded('build')
    this.#counters.deletes++
    const { stack, hub } = this.#context
    const count = await this.#recall.quietly({ kind: 'name', name: this.name }, (it) => stack.remove(it))
    this.#counters.evictions.explicit += count
    hub.emit({ type: 'deleted', name: this.name, count })
  }

  /**
   * Takes values from elsewhere as if they had been built now. They win over a build that is under way.
   *
   * @param revisions what {@link revisions} said for each section BEFORE the values were read
   * @throws `invalid-option` when a section is missing, `closed`, and what `combine` throws
   */
  async store(values: Readonly<S>, revisions: ViewRevisions): Promise<void> {
    this.#context.refuseIfClosed()
    const { clock, handout, hub } = this.#context
    const turn = this.#held.nextTurn()
    const sections = new Map<string, Built>()
    for (const name of this.#names()) {
      const value: unknown = values?.[name as keyof S]
      const revision = revisions?.sections?.[name]
      if (value === undefined) throw invalidOption(`values.${name}`, 'given, like every section', value)
      if (typeof revision !== 'string') throw invalidOption(`revisions.sections.${name}`, 'a revision', revision)
      const now = clock.now()
      sections.set(name, { value: handout.admit(value), revision, builtAt: now, asOf: now, turn, isStored: false })
    }
    const snapshot = this.#builds.snapshotOf(sections, this.#held.snapshot)
    this.#held.forget()
    this.#builds.detach()
    this.#held.snapshot = snapshot
    this.#counters.sets++
    await this.#recall.quietly(undefined, () => this.#shelf.put(sections, undefined))
    hub.emit({ type: 'set', name: this.name, key: 'all' })
  }

  /** What a read would find, and why. Asks for the revisions, and starts nothing. */
  async explain(): Promise<ViewExplanation> {
    this.#context.refuseIfClosed()
    await this.#recall.ready()
    const asked = await this.#gate.ask().then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    )
    return explainView(this.#settings, this.#context.clock.now(), this.#held, this.#builds, asked)
  }

  /** The counts of this name; a request is a read. */
  async stats(): Promise<NameStats> {
    return this.#counters.snapshot(this.#context.stack.tiers[0]?.name ?? '')
  }

  /**
   * Says that tables were written, and that this is committed: the sections built from them have moved. Only readers in this
   * process need to be told where the revision sees every change; others learn it by that.
   */
  async written(tables: readonly string[]): Promise<void> {
    this.#context.refuseIfClosed()
    const isOne = (own: string): boolean => tables.some((table) => lastPart(table) === lastPart(own))
    const sections = this.#settings.sections.filter((it) => it.tables.some(isOne))
    const isSeen = ({ revision }: Section): boolean => typeof revision === 'object' && revision.caveat === undefined
    for (const section of sections.filter(isSeen)) this.#held.mark(section.name)
    await Promise.all(sections.filter((it) => !isSeen(it)).map((it) => this.invalidate(it.name as keyof S & string)))
  }

  /** Asks for the revisions; gives up after the soft timeout, or on a failure, when there is something to answer with. */
  async #ask(): Promise<Asked> {
    const { sections, maxStaleMs, errorMs, softMs } = this.#settings
    const staleForMs = this.#held.staleForMs(sections)
    const mayBeLate = staleForMs < maxStaleMs
    if (mayBeLate && this.#gate.isOverdue) return { reason: 'source-slow' }
    try {
      const asking = this.#gate.ask()
      const answer = mayBeLate ? await orLate(asking, softMs, this.#context.clock) : await asking
      if (answer !== 'late') return { answer }
      // Meanwhile time went on, or the snapshot was forgotten.
      return this.#held.staleForMs(sections) < maxStaleMs ? { reason: 'source-slow' } : { answer: await asking }
    } catch (error) {
      if (this.#context.isClosed || this.#held.staleForMs(sections) >= errorMs) throw error
      return { reason: 'source-unavailable', error }
    }
  }

  #judge(answer: Answer, arrived: number): ViewReading<V> | Promise<ViewReading<V>> {
    const moved = this.#held.moved(answer, arrived)
    this.#held.confirm(answer)
    if (moved.length === 0) return this.#report.hit()
    const needs = (): readonly Section[] => this.#held.moved(answer, arrived)
    const request = { arrived, answer, needs, isForced: false }
    const isPartial = this.#held.snapshot !== undefined && moved.every(({ isBehind }) => !isBehind)
    const staleForMs = this.#held.staleForMs(moved, answer)
    const { failure } = this.#builds
    if (failure && staleForMs < this.#settings.errorMs)
      return this.#report.stale(moved, 'source-unavailable', false, failure.error)
    if (isPartial || staleForMs >= this.#settings.maxStaleMs) return this.#waited(request, moved, isPartial)
    this.#builds.behind(request)
    return this.#report.stale(moved, 'revalidating', false)
  }

  /** Waits for a build; falls back on the last snapshot if it is slow, or fails, and that may still be handed out. */
  async #waited(request: BuildRequest, moved: readonly Section[], isPartial: boolean): Promise<ViewReading<V>> {
    const { maxStaleMs, errorMs, softMs } = this.#settings
    const staleForMs = (): number => this.#held.staleForMs(moved, request.answer)
    this.#report.waits(isPartial)
    try {
      const building = this.#builds.built(request)
      const landed = staleForMs() < maxStaleMs ? await orLate(building, softMs, this.#context.clock) : await building
      // Time went on while the reader waited.
      if (landed !== 'late') return this.#report.built(landed, moved, isPartial)
      if (staleForMs() < maxStaleMs) return this.#report.stale(moved, 'source-slow', true)
      return this.#report.built(await building, moved, isPartial)
    } catch (error) {
      if (this.#context.isClosed || staleForMs() >= errorMs) throw error
      return this.#report.stale(moved, 'source-unavailable', true, error)
    }
  }

  async #refreshed(arrived: number): Promise<ViewReading<V>> {
    this.#report.waits(false)
    const answer = await this.#gate.ask()
    const needs = (): readonly Section[] => this.#held.builtBefore(arrived)
    const snapshot: Snapshot<V> = await this.#builds.built({ arrived, answer, needs, isForced: true })
    return this.#report.built(snapshot, this.#settings.sections, false)
  }

  #names(): string[] {
    return this.#settings.sections.map(({ name }) => name)
  }
}

/** `topics` of `public.topics`: hooks and revisions need not agree on whether to name the schema. */
function lastPart(table: string): string {
  return table.slice(table.lastIndexOf('.') + 1).replaceAll('"', '')
}
