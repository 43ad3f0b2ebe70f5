import type { Clock } from '../clock.ts'
import type { Entry, KeyInfo } from '../entry.ts'
import type { Key, Selector } from '../key.ts'
import {
  isPromise,
  type Capabilities,
  type ChangeFeed,
  type ChangedSlots,
  type Claims,
  type Lease,
  type MaybePromise,
  type Tier,
} from '../tier/tier.ts'
import type { Guard } from './guard.ts'
import type { Notes } from './notes.ts'

/**
 * A guarded tier whose missed removals outlive the process: see {@link Notes}. It serves nothing before it was told what
 * earlier processes wrote down about it, and no removal it missed is done before it is written down.
 */
export class Remembering implements Tier {
  readonly name: string
  readonly capabilities: Capabilities
  readonly feed?: ChangeFeed
  readonly claims?: Claims
  readonly #guard: Guard
  readonly #notes: Notes
  readonly #clock: Clock
  /** Until the notes of earlier processes are told. */
  #telling: Promise<void> | undefined

  constructor(guard: Guard, notes: Notes, clock: Clock) {
    this.name = guard.name
    this.capabilities = guard.capabilities
    this.#guard = guard
    this.#notes = notes
    this.#clock = clock
    if (guard.feed) this.feed = guard.feed
    if (guard.claims) this.claims = guard.claims
    // A keeper that cannot be read now has told its own failure; nothing better is known than what the tier has.
    this.#telling = notes
      .tell(guard)
      .catch(() => {})
      .finally(() => {
        this.#telling = undefined
      })
  }

  get(key: Key): MaybePromise<Entry | undefined> {
    return this.#telling ? this.#telling.then(() => this.#guard.get(key)) : this.#guard.get(key)
  }

  getMany(keys: readonly Key[]): MaybePromise<(Entry | undefined)[]> {
    return this.#telling ? this.#telling.then(() => this.#guard.getMany(keys)) : this.#guard.getMany(keys)
  }

  lease(): MaybePromise<Lease> {
    return this.#telling ? this.#telling.then(() => this.#guard.lease()) : this.#guard.lease()
  }

  put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
    if (this.#telling) return this.#telling.then(() => this.put(entry, lease))
    const stored = this.#guard.put(entry, lease)
    // Also the value that was loaded: what it was to replace is void.
    return this.#noted(stored, { kind: 'key', key: entry.key }, undefined)
  }

  remove(selector: Selector, staleAt?: number): MaybePromise<number> {
    if (this.#telling) return this.#telling.then(() => this.remove(selector, staleAt))
    const count = this.#noted(this.#guard.remove(selector, staleAt), selector, staleAt)
    if (selector.kind !== 'all') return count
    return Promise.resolve(count).then(async (it) => {
      await this.#notes.rewrite(this.#clock.now())
      return it
    })
  }

  async *keys(selector: Selector): AsyncIterable<KeyInfo> {
    await this.#telling
    for await (const info of this.#guard.keys(selector)) if (!info.key.name.startsWith('#journal')) yield info
  }

  async count(selector: Selector): Promise<number> {
    await this.#telling
    return this.#guard.count(selector)
  }

  sweep(now: number, limit: number): MaybePromise<number> {
    if (this.#guard.isCalm && this.#notes.has(this.#guard)) void this.#notes.clear(this.#guard)
    return this.#guard.sweep(now, limit)
  }

  async close(): Promise<void> {
    await this.#telling
    if (this.#guard.isCalm) await this.#notes.clear(this.#guard)
    await this.#guard.close()
  }

  forget(changed: ChangedSlots): void {
    this.#guard.forget(changed)
  }

  /** When the tier missed it, the answer comes after the note. */
  #noted<T>(answer: MaybePromise<T>, selector: Selector, staleAt: number | undefined): MaybePromise<T> {
    const note = (value: T): MaybePromise<T> => {
      if (this.#guard.isCalm || this.#guard.isDisabled) return value
      return this.#notes.add(this.#guard, selector, staleAt, this.#clock.now()).then(() => value)
    }
    return isPromise(answer) ? answer.then(note) : note(answer)
  }
}
