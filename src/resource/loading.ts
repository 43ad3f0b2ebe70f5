import type { Entry } from '../entry.ts'
import { TidemarkError } from '../errors.ts'
import type { Key } from '../key.ts'
import { Backoff } from '../load/backoff.ts'
import { claimNow, claimOr, type HeldClaim } from '../load/claim.ts'
import type { Context } from '../load/context.ts'
import { runLoader } from '../load/deadline.ts'
import { Flights, type Flight } from '../load/flights.ts'
import { waitFor } from '../load/waiting.ts'
import type { NameCounters } from '../observe/counters.ts'
import { judge } from '../policy/judge.ts'
import { lifetimes } from '../policy/policy.ts'
import type { Lease, MaybePromise } from '../tier/tier.ts'
import type { ResourceSettings } from './options.ts'
import type { Asked } from './revisions.ts'
import { Versions } from './versions.ts'

/** What a flight brings: the entry, from the source or from another process that loaded it meanwhile. */
export interface Landed {
  readonly entry: Entry
  /** `source`, or the tier another process brought it to. */
  readonly from: string
}

/**
 * Loads of one resource: one flight per key, under a claim among processes, before a deadline, stored under the lease
 * taken before the load began.
 */
export class Loading<K, V> {
  readonly flights: Flights<Landed> = new Flights<Landed>()
  readonly backoff: Backoff = new Backoff()
  readonly #versions: Versions<V> | undefined
  /** Hears of every loaded entry that was stored. */
  onStored: ((entry: Entry) => void) | undefined
  /** Keys whose claim is being asked for on behalf of a refresh. */
  readonly #claiming = new Set<string>()
  readonly #settings: ResourceSettings<K, V>
  readonly #context: Context
  readonly #counters: NameCounters
  /** The revision that was read before a flight began, where the source has one. */
  readonly #askedBefore = new WeakMap<Flight<Landed>, Asked>()

  constructor(settings: ResourceSettings<K, V>, context: Context) {
    this.#settings = settings
    this.#context = context
    this.#counters = context.hub.of(settings.name)
    this.#versions = settings.versionOf && new Versions(settings.versionOf, context)
    context.track(this.flights as unknown as Flights<never>)
  }

  /**
   * Joins the flight of a key or starts one. Errors: `reentrant-load`, and what the load throws.
   *
   * @param asked the revision the reader was told: a flight that began before it is no answer, unless from the same one
   */
  join(key: K, id: string, stale: Entry | undefined, asked?: Asked): Promise<Landed> {
    const current = this.flights.get(id)
    const flight = current ?? this.#start(key, id, asked, (it) => this.#fly(it, key, stale, asked))
    waitFor(flight)
    if (flight === current && !this.#knows(flight, asked))
      return flight.promise.catch(() => {}).then(() => this.join(key, id, stale, asked))
    return flight.promise
  }

  /** The same without a claim, so that what another process stored does not do: the source is asked. */
  ask(key: K, id: string, stale: Entry | undefined): Promise<Landed> {
    const flight = this.flights.get(id) ?? this.#start(key, id, undefined, (it) => this.#load(it, key, stale))
    waitFor(flight)
    return flight.promise
  }

  /**
   * A load that began after this call. The first one goes off at once, in place of an ordinary flight; those that ask
   * while a refresh is under way share the one after it, so that a refresh button costs two loads however often it is hit.
   */
  refresh(key: K, id: string, stale: Entry | undefined, asked?: Asked): Promise<Landed> {
    const current = this.flights.get(id)
    if (current?.isRefresh !== true) return this.#refreshNow(key, id, stale, asked, current)
    waitFor(current)
    current.next ??= current.promise
      .catch(() => {})
      .then(() => this.#refreshNow(key, id, stale, asked, this.flights.get(id)))
    return current.next
  }

  /** Loads behind a stale value, unless that is being done, here or in another process, or the source is left alone. */
  refreshBehind(key: K, id: string, stale: Entry, asked?: Asked): void {
    const { stack, owner, clock, isClosed } = this.#context
    if (isClosed || this.flights.get(id) || this.#claiming.has(id) || this.backoff.holding(id, clock.now())) return
    if (!stack.claims) {
      this.#start(key, id, asked, (flight) => this.#load(flight, key, stale, asked))
      return
    }
    this.#claiming.add(id)
    const begin = (held: HeldClaim | undefined): void => {
      this.#claiming.delete(id)
      if (held && this.#context.isClosed) held()
      else if (held) this.#start(key, id, asked, (flight) => this.#load(flight, key, stale, asked).finally(held))
    }
    void claimNow(stack.claims, { name: this.#settings.name, id }, owner, clock).then(begin, () => begin(undefined))
  }

  /** The entry of a value as of `loadedAt`. */
  entryOf(key: K, id: string, value: V, loadedAt: number, revision?: string): Entry {
    const { name, scopeOf, tagsOf, era, policy, windows } = this.#settings
    const tags = tagsOf?.(key, value)
    const { freshUntil, staleUntil, errorUntil, keepUntil } = lifetimes(loadedAt, policy.freshMs(value), windows)
    return {
      key: { name, id },
      value: this.#context.handout.admit(value),
      loadedAt,
      freshUntil,
      staleUntil,
      errorUntil,
      keepUntil,
      scope: scopeOf?.(key),
      era: era?.name,
      tags: tags && tags.length > 0 ? [...tags] : undefined,
      identity: policy.identity?.(value),
      revision,
    }
  }

  /** Stores an entry, under a lease if it was loaded; ends its era first when it shows that the key was used again. */
  store(entry: Entry, lease: Lease | undefined): MaybePromise<boolean> {
    const { era } = this.#settings
    if (!era || entry.identity === undefined || entry.scope === undefined) return this.#context.stack.put(entry, lease)
    return era.exclusively(entry.scope, async () => {
      const settled = await era.settle(entry, lease ?? (await this.#context.stack.lease()))
      return this.#context.stack.put(entry, lease === undefined ? undefined : settled)
    })
  }

  /** Stores what was set, at once where it can. Errors: `older-version`. */
  set(entry: Entry): MaybePromise<unknown> {
    return this.#versions
      ? this.#versions.set(entry, async () => this.store(entry, undefined))
      : this.store(entry, undefined)
  }

  #storeLoaded(entry: Entry, lease: Lease): MaybePromise<boolean> {
    if (!this.#versions) return this.store(entry, lease)
    return this.#versions.load(entry, async () => this.store(entry, lease))
  }

  /** True when what a flight brings is as new as what the reader was told. */
  #knows(flight: Flight<Landed>, asked: Asked | undefined): boolean {
    if (asked === undefined) return true
    const before = this.#askedBefore.get(flight)
    return before !== undefined && (before.revision === asked.revision || before.turn >= asked.turn)
  }

  #refreshNow(
    key: K,
    id: string,
    stale: Entry | undefined,
    asked: Asked | undefined,
    before: Flight<Landed> | undefined,
  ): Promise<Landed> {
    if (before?.isRefresh === true) {
      waitFor(before)
      return before.promise
    }
    const flight = this.#start(key, id, asked, (it) => this.#load(it, key, stale, asked))
    flight.isRefresh = true
    waitFor(flight)
    return flight.promise
  }

  #start(
    key: K,
    id: string,
    asked: Asked | undefined,
    work: (flight: Flight<Landed>) => Promise<Landed>,
  ): Flight<Landed> {
    // A reader may have waited for a tier meanwhile: nobody would abort what begins after `close`.
    this.#context.refuseIfClosed()
    const { name, scopeOf, tagsOf, era } = this.#settings
    const subject = { key: { name, id }, scope: scopeOf?.(key), era: era?.name, mayHaveTags: tagsOf !== undefined }
    const flight = this.flights.start(subject, this.#context.clock.now(), work)
    if (asked) this.#askedBefore.set(flight, asked)
    return flight
  }

  /** Loads under a claim where processes share a tier, unless another one brings the value first. */
  async #fly(flight: Flight<Landed>, key: K, stale: Entry | undefined, asked: Asked | undefined): Promise<Landed> {
    const { stack, owner, clock } = this.#context
    if (!stack.claims) return this.#load(flight, key, stale, asked)
    const { subject, controller } = flight
    const patience = { signal: controller.signal, waitMsMax: this.#settings.hardMs }
    const look = (): Promise<Landed | undefined> => this.#lookAgain(subject.key, asked)
    const claim = await claimOr(stack.claims, subject.key, owner, clock, patience, look)
    if ('found' in claim) return claim.found
    return this.#load(flight, key, stale, asked).finally(claim.held)
  }

  async #lookAgain(key: Key, asked: Asked | undefined): Promise<Landed | undefined> {
    const { stack, clock } = this.#context
    const isFresh = (entry: Entry): boolean =>
      judge(entry, clock.now()) === 'fresh' && (asked === undefined || entry.revision === asked.revision)
    const found = await stack.read(key, isFresh)
    return found && isFresh(found.entry) ? { entry: found.entry, from: found.tier } : undefined
  }

  async #load(flight: Flight<Landed>, key: K, stale: Entry | undefined, asked?: Asked): Promise<Landed> {
    const { stack, clock, hub, handout } = this.#context
    const { id } = flight.subject.key
    const { name, load, hardMs } = this.#settings
    // Before the loader starts: whatever changes from here on makes its value too old to store.
    const lease = await stack.lease()
    const startedAt = clock.now()
    this.#counters.loads++
    try {
      const value = await runLoader(flight, hardMs, clock, (signal) =>
        load(key, {
          signal,
          stale: stale === undefined ? undefined : handout.out(stale.value as V),
          progress: (done, total) => hub.emit({ type: 'progress', name, key: id, done, total }),
        }),
      )
      if (value === undefined) throw returnedUndefined(name, id)
      const entry = this.entryOf(key, id, value, clock.now(), asked?.revision)
      const stored = !flight.isSuperseded && (await this.#storeLoaded(entry, lease))
      if (stored) this.onStored?.(entry)
      else this.#counters.refused++
      this.backoff.succeeded(id)
      hub.emit({ type: 'loaded', name, key: id, tookMs: clock.now() - startedAt, stored })
      return { entry, from: 'source' }
    } catch (error) {
      this.#counters.loadFailures++
      const retryAt = this.backoff.failed(id, clock.now(), error)
      hub.emit({ type: 'load-failed', name, key: id, tookMs: clock.now() - startedAt, error, retryAt })
      throw error
    }
  }
}

function returnedUndefined(name: string, id: string): TidemarkError {
  return new TidemarkError('load-returned-undefined', `The loader of ${name} returned undefined for ${id}.`, {
    data: { name, key: id },
  })
}
