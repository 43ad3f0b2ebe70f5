import type { Entry } from '../entry.ts'
import type { Context } from '../load/context.ts'
import type { Policy } from '../policy/policy.ts'
import { isPromise, type Front, type MaybePromise } from '../tier/tier.ts'

const PERSIST_SHARE = 0.25
const KEYS_MAX = 10_000

/**
 * Moves the end of freshness with each read. In memory at once; the lower tiers learn it when it has moved by a quarter of
 * the idle time, so that reads seldom write and an entry in use survives eviction and restart.
 */
export class Sliding {
  readonly #slide: NonNullable<Policy['slide']>
  readonly #name: string
  readonly #context: Context
  /** Until when the lower tiers know an entry to be fresh. */
  readonly #persisted = new Map<string, number>()

  constructor(slide: NonNullable<Policy['slide']>, name: string, context: Context) {
    this.#slide = slide
    this.#name = name
    this.#context = context
  }

  /** After a hit in memory. */
  touch(id: string, front: Front): void {
    const until = front.extend(id, this.#slide.idleMs, this.#slide.maxMs)
    if (this.#context.stack.tiers.length > 1) this.#persist(id, until)
  }

  /** After a hit anywhere. */
  touchEntry(entry: Entry, front: Front | undefined): void {
    const until = front?.extend(entry.key.id, this.#slide.idleMs, this.#slide.maxMs) ?? 0
    if (until > 0) this.#persist(entry.key.id, until)
    else this.#rewrite(entry)
  }

  #persist(id: string, until: number): void {
    const known = this.#persisted.get(id) ?? 0
    if (until - known < this.#slide.idleMs * PERSIST_SHARE) return
    if (this.#persisted.size >= KEYS_MAX) this.#persisted.clear()
    this.#persisted.set(id, until)
    const entry = this.#context.stack.tiers[0]?.get({ name: this.#name, id })
    if (entry && !isPromise(entry)) this.#store(entry)
  }

  /** Without memory in front the entry itself is written again with its new times. */
  #rewrite(entry: Entry): void {
    const end = Math.min(this.#context.clock.now() + this.#slide.idleMs, entry.loadedAt + this.#slide.maxMs)
    const shiftMs = end - entry.freshUntil
    if (shiftMs < this.#slide.idleMs * PERSIST_SHARE) return
    this.#store({
      ...entry,
      freshUntil: end,
      staleUntil: entry.staleUntil + shiftMs,
      errorUntil: entry.errorUntil + shiftMs,
      keepUntil: entry.keepUntil + shiftMs,
    })
  }

  /** Under a lease: what is removed meanwhile stays removed. Other processes are not told, their copies just end earlier. */
  #store(entry: Entry): void {
    const lease = this.#context.stack.lease()
    const stored: MaybePromise<boolean> = isPromise(lease)
      ? lease.then((it) => this.#context.stack.put(entry, it))
      : this.#context.stack.put(entry, lease)
    // A touch that gets lost costs a load; the tier's guard has reported why.
    if (isPromise(stored)) stored.catch(() => {})
  }
}
