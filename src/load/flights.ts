import { selects } from '../entry.ts'
import type { Key } from '../key.ts'
import { slotsOfEntry, type Membership } from '../slot.ts'
import type { StackChange } from '../stack/stack.ts'
import { Waitable } from './waiting.ts'

/** What is known of the entry a flight will bring, before it is there. */
export interface FlightSubject extends Membership {
  readonly key: Key
  /** Its tags are only known once it is loaded: any tag may be one of them. */
  readonly mayHaveTags: boolean
}

/** One load in progress, shared by whoever waits for it. */
export class Flight<T> extends Waitable {
  readonly subject: FlightSubject
  readonly startedAt: number
  readonly controller: AbortController = new AbortController()
  /** Assigned as soon as the work is started. */
  promise!: Promise<T>
  /** A later flight took its place on purpose: what this one brings is not stored. */
  isSuperseded = false
  /** Somebody asked for a load that begins now; those who ask meanwhile wait for `next`. */
  isRefresh = false
  next: Promise<T> | undefined

  constructor(subject: FlightSubject, startedAt: number) {
    super(`${subject.key.name} ${subject.key.id}`)
    this.subject = subject
    this.startedAt = startedAt
  }
}

/**
 * The flights of one name: at most one for a key that newcomers may join. A change of the key detaches its flight: those
 * who wait still get the value, a reader that comes after the change starts anew (contract C1, `reader-after-delete-never-sees-old`).
 */
export class Flights<T> {
  readonly #joinable = new Map<string, Flight<T>>()
  readonly #all = new Set<Flight<T>>()

  /** The flight a newcomer may join. */
  get(id: string): Flight<T> | undefined {
    return this.#joinable.get(id)
  }

  get size(): number {
    return this.#all.size
  }

  /** Starts a flight and registers it; one that was there is superseded. The work is called at once. */
  start(subject: FlightSubject, now: number, work: (flight: Flight<T>) => Promise<T>): Flight<T> {
    const flight = new Flight<T>(subject, now)
    const { id } = subject.key
    const before = this.#joinable.get(id)
    if (before) before.isSuperseded = true
    this.#joinable.set(id, flight)
    this.#all.add(flight)
    flight.promise = work(flight).finally(() => this.#land(flight))
    // Whoever waits handles the failure; a flight nobody waits for must not end the process.
    flight.promise.catch(() => {})
    return flight
  }

  /** Detaches the flights that began before this change and concern what changed. */
  fence(change: StackChange): void {
    if (this.#joinable.size === 0) return
    const isConcerned = 'selector' in change ? concernedBySelector(change.selector) : concernedBySlots(change.slots)
    for (const [id, flight] of this.#joinable) if (isConcerned(flight.subject)) this.#joinable.delete(id)
  }

  abortAll(reason: unknown): void {
    for (const flight of this.#all) flight.controller.abort(reason)
  }

  /** Takes out exactly this flight: a newer one under the same key stays (contract C2, `release-is-owner-checked`). */
  #land(flight: Flight<T>): void {
    flight.settle()
    this.#all.delete(flight)
    const { id } = flight.subject.key
    if (this.#joinable.get(id) === flight) this.#joinable.delete(id)
  }
}

type Concerns = (subject: FlightSubject) => boolean

function concernedBySelector(selector: Extract<StackChange, { selector: unknown }>['selector']): Concerns {
  if (selector.kind === 'tag') return (subject) => subject.mayHaveTags
  return (subject) => selects(selector, subject)
}

function concernedBySlots(slots: Extract<StackChange, { slots: unknown }>['slots']): Concerns {
  if (slots === 'all') return () => true
  const changed = new Set(slots)
  return (subject) => subject.mayHaveTags || slotsOfEntry(subject.key, subject).some((slot) => changed.has(slot))
}
