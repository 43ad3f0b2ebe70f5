import { TidemarkError } from '../errors.ts'
import { Backoff } from '../load/backoff.ts'
import { claimNow, claimOr, type HeldClaim } from '../load/claim.ts'
import type { Context } from '../load/context.ts'
import { runLoader } from '../load/deadline.ts'
import { Flights, type Flight } from '../load/flights.ts'
import { waitFor } from '../load/waiting.ts'
import type { NameCounters } from '../observe/counters.ts'
import { Fingerprint } from './fingerprint.ts'
import type { Held } from './held.ts'
import type { Section, ViewSettings } from './options.ts'
import { share } from './share.ts'
import type { Shelf } from './shelf.ts'
import { combinedRevision, valuesOf, type Answer, type Built, type Snapshot } from './snapshot.ts'

/** What a build is for, fixed when it begins. */
interface Plan<V> {
  readonly before: Snapshot<V> | undefined
  readonly turn: number
  readonly epoch: number
  readonly sections: readonly Section[]
  readonly answer: Answer
  readonly marks: ReadonlyMap<string, number>
  /** A reader asked for a build: one that another process made will not do. */
  readonly isForced: boolean
}

/** Asks for a build. */
export interface BuildRequest {
  /** When the reader arrived; a build that began later is what it wants. */
  readonly arrived: number
  /** Read after the reader arrived. */
  readonly answer: Answer
  /** The sections it still needs. */
  readonly needs: () => readonly Section[]
  readonly isForced: boolean
}

const FLIGHT_ID = 'build'

/**
 * Builds of one view: one at a time, shared by whoever needs what it brings; under a claim among processes; each section
 * before a deadline; stored under the lease taken before the build began.
 */
export class Builds<V> {
  readonly backoff: Backoff = new Backoff()
  readonly #settings: ViewSettings<V>
  readonly #context: Context
  readonly #held: Held<V>
  readonly #shelf: Shelf
  readonly #counters: NameCounters
  readonly #flights = new Flights<Snapshot<V>>()
  readonly #plans = new WeakMap<Flight<Snapshot<V>>, Plan<V>>()
  #isClaiming = false

  constructor(settings: ViewSettings<V>, context: Context, held: Held<V>, shelf: Shelf) {
    this.#settings = settings
    this.#context = context
    this.#held = held
    this.#shelf = shelf
    this.#counters = context.hub.of(settings.name)
    context.track(this.#flights as unknown as Flights<never>)
  }

  /** Since when a build is under way, if one is. */
  get since(): number | undefined {
    return this.#flights.get(FLIGHT_ID)?.startedAt
  }

  /** The last failure, while the sources are left alone. */
  get failure(): { readonly error: unknown } | undefined {
    return this.backoff.holding(FLIGHT_ID, this.#context.clock.now())
  }

  /** Detaches the build under way: who comes from now on starts another one. */
  detach(): void {
    this.#flights.fence({ selector: { kind: 'name', name: this.#settings.name } })
  }

  /**
   * The snapshot with everything the request needs, from a build that is under way and will do, or another one after it.
   * Errors: what a builder throws, `load-timeout`, `load-returned-undefined`, `reentrant-load`.
   */
  async built(request: BuildRequest): Promise<Snapshot<V>> {
    for (;;) {
      const flight = this.#flights.get(FLIGHT_ID)
      if (!flight) {
        const started = this.#start(request, (it) => this.#fly(it))
        waitFor(started)
        return started.promise
      }
      waitFor(flight)
      if (this.#serves(this.#plans.get(flight) as Plan<V>, request)) return flight.promise
      await flight.promise.catch(() => {})
      if (request.needs().length === 0 && this.#held.snapshot) return this.#held.snapshot
    }
  }

  /** Builds behind a reader, unless that is being done, here or in another process, or the sources are left alone. */
  behind(request: BuildRequest): void {
    const { stack, owner, clock } = this.#context
    if (this.#flights.get(FLIGHT_ID) || this.#isClaiming || this.failure) return
    if (!stack.claims) {
      this.#start(request, (it) => this.#build(it))
      return
    }
    this.#isClaiming = true
    const begin = (held: HeldClaim | undefined): void => {
      this.#isClaiming = false
      const isNeeded = !this.#flights.get(FLIGHT_ID) && !this.#context.isClosed
      if (held && isNeeded) this.#start(request, (it) => this.#adoptOrBuild(it).finally(held))
      else held?.()
    }
    void claimNow(stack.claims, this.#shelf.claimKey, owner, clock).then(begin, () => begin(undefined))
  }

  /** True when what this build brings is what the reader needs: it began after the reader came, or from what the reader knows. */
  #serves(plan: Plan<V>, { arrived, answer, needs, isForced }: BuildRequest): boolean {
    const missing = needs()
    if (!missing.every((section) => plan.sections.includes(section))) return false
    if (plan.turn > arrived) return true
    if (isForced) return false
    const marks = this.#held.marksOf(missing.map(({ name }) => name))
    const isMarkedSince = [...marks].some(([name, mark]) => plan.marks.get(name) !== mark)
    return !isMarkedSince && missing.every((it) => plan.answer.revisions.get(it.name) === answer.revisions.get(it.name))
  }

  #start(request: BuildRequest, work: (flight: Flight<Snapshot<V>>) => Promise<Snapshot<V>>): Flight<Snapshot<V>> {
    const { name } = this.#settings
    const sections = request.needs()
    const plan: Plan<V> = {
      before: this.#held.snapshot,
      turn: this.#held.nextTurn(),
      epoch: this.#held.epoch,
      sections,
      answer: request.answer,
      marks: this.#held.marksOf(sections.map((it) => it.name)),
      isForced: request.isForced,
    }
    const subject = { key: { name, id: FLIGHT_ID }, mayHaveTags: false }
    const flight = this.#flights.start(subject, this.#context.clock.now(), async (it) => {
      this.#plans.set(it, plan)
      return work(it)
    })
    return flight
  }

  /** Builds under a claim where processes share a tier, unless another one brings the same revisions first. */
  async #fly(flight: Flight<Snapshot<V>>): Promise<Snapshot<V>> {
    const { stack, owner, clock } = this.#context
    if (!stack.claims) return this.#build(flight)
    const patience = { signal: flight.controller.signal, waitMsMax: this.#settings.hardMs }
    const plan = this.#plans.get(flight) as Plan<V>
    const look = (): Promise<Snapshot<V> | undefined> => this.#adopt(plan)
    const claim = await claimOr(stack.claims, this.#shelf.claimKey, owner, clock, patience, look)
    if ('found' in claim) return claim.found
    return this.#build(flight).finally(claim.held)
  }

  async #adoptOrBuild(flight: Flight<Snapshot<V>>): Promise<Snapshot<V>> {
    return (await this.#adopt(this.#plans.get(flight) as Plan<V>)) ?? this.#build(flight)
  }

  /** The sections as another process built them from the same revisions, if it did. */
  async #adopt(plan: Plan<V>): Promise<Snapshot<V> | undefined> {
    if (plan.isForced || plan.marks.size > 0) return undefined
    const found = new Map<string, Built>()
    for (const section of plan.sections) {
      const shelved = await this.#shelf.find(section, plan.answer.revisions.get(section.name))
      if (!shelved || this.#held.isOld(shelved.built, this.#context.clock.now())) return undefined
      found.set(section.name, { ...shelved.built, asOf: plan.answer.at, turn: plan.turn })
    }
    return this.#install(plan, found)
  }

  async #build(flight: Flight<Snapshot<V>>): Promise<Snapshot<V>> {
    const { stack, hub, clock } = this.#context
    const { name } = this.#settings
    const plan = this.#plans.get(flight) as Plan<V>
    const startedAt = clock.now()
    let failing = plan.sections.map((section) => section.name).join()
    try {
      // Before anything is read: what is invalidated from here on makes it too old to store.
      const lease = await stack.lease()
      const built = new Map<string, Built>()
      // Wave by wave, each of the sections whose dependencies are there.
      for (let left = plan.sections; left.length > 0;) {
        const wave = left.filter(({ dependsOn }) => !left.some((it) => dependsOn.includes(it.name)))
        const values = wave.map(async (section) => {
          const value = await this.#buildSection(flight, plan, section, built).catch((error: unknown) => {
            if (!flight.controller.signal.aborted) failing = section.name
            // The others have nothing to finish for.
            flight.controller.abort(error)
            throw error
          })
          return [section.name, value] as const
        })
        for (const [section, value] of await Promise.all(values)) built.set(section, value)
        left = left.filter((section) => !wave.includes(section))
      }
      const snapshot = this.#install(plan, built)
      const stored = this.#held.epoch === plan.epoch && (await this.#shelf.put(built, lease))
      if (!stored) this.#counters.refused++
      this.backoff.succeeded(FLIGHT_ID)
      const tookMs = clock.now() - startedAt
      for (const section of built.keys()) hub.emit({ type: 'loaded', name, key: section, tookMs, stored })
      return snapshot
    } catch (error) {
      this.#counters.loadFailures++
      const retryAt = this.backoff.failed(FLIGHT_ID, clock.now(), error)
      hub.emit({ type: 'load-failed', name, key: failing, tookMs: clock.now() - startedAt, error, retryAt })
      throw error
    }
  }

  async #buildSection(
    flight: Flight<unknown>,
    { answer, turn, before }: Plan<V>,
    section: Section,
    done: ReadonlyMap<string, Built>,
  ): Promise<Built> {
    const { clock, handout, hub } = this.#context
    const { name, hardMs } = this.#settings
    const valueOf = (it: string): unknown => handout.out((done.get(it) ?? before?.sections.get(it))?.value)
    const revision = answer.revisions.get(section.name) as string
    this.#counters.loads++
    const previous = before?.sections.get(section.name)?.value
    const value = await runLoader(flight, hardMs, clock, (signal) =>
      section.build({
        signal,
        sections: Object.fromEntries(section.dependsOn.map((it) => [it, valueOf(it)])),
        revision,
        previous: handout.out(previous),
        progress: (amount, total) => hub.emit({ type: 'progress', name, key: section.name, done: amount, total }),
      }),
    )
    if (value === undefined) throw returnedUndefined(name, section.name)
    const admitted = handout.admit(share(previous, value))
    return { value: admitted, revision, builtAt: clock.now(), asOf: answer.at, turn, isStored: false }
  }

  /** Makes the snapshot, and keeps it unless everything was forgotten since the build began. */
  #install(plan: Plan<V>, built: ReadonlyMap<string, Built>): Snapshot<V> {
    const isCurrent = this.#held.epoch === plan.epoch
    const base = (isCurrent ? this.#held.snapshot : undefined) ?? plan.before
    const sections = new Map<string, Built>()
    for (const { name } of this.#settings.sections) {
      // A build that was detached may be overtaken by one that began later.
      const [ours, theirs] = [built.get(name), base?.sections.get(name)]
      sections.set(name, (theirs && (!ours || theirs.turn > ours.turn) ? theirs : ours) as Built)
    }
    const snapshot = this.snapshotOf(sections, base)
    if (!isCurrent) return snapshot
    this.#held.snapshot = snapshot
    this.#held.unmark(plan.marks)
    return snapshot
  }

  /** What is made of some sections, sharing with what was before whatever did not change. */
  snapshotOf(sections: ReadonlyMap<string, Built>, before: Snapshot<V> | undefined): Snapshot<V> {
    const { handout } = this.#context
    const { combine, etag } = this.#settings
    const values = valuesOf(this.#settings.sections, (name) => handout.out(sections.get(name)?.value))
    const value = handout.admit(share(before?.value, combine ? combine(values) : (values as V)))
    const isSame = before !== undefined && Object.is(value, before.value)
    return {
      sections,
      value,
      revision: combinedRevision(this.#settings, (name) => sections.get(name)?.revision),
      fingerprint: isSame ? before.fingerprint : new Fingerprint(() => (etag ? etag(handout.out(value)) : value)),
    }
  }
}

function returnedUndefined(view: string, section: string): TidemarkError {
  return new TidemarkError('load-returned-undefined', `The builder of ${view}.${section} returned undefined.`, {
    hint: 'Return null when there is nothing; undefined is never cached.',
    data: { name: view, key: section },
  })
}
