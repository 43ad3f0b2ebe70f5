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
    this.#store(() => {
      const entry = this.#context.stack.tiers[0]?.get({ name: this.#name, id })
      return isPromise(entry) ? undefined : entry
    })
  }

  /** Without memory in front the entry itself is written again with its new times. */
  #rewrite({ key, freshUntil, loadedAt }: Entry): void {
    const end = Math.min(this.#context.clock.now() + this.#slide.idleMs, loadedAt + this.#slide.maxMs)
    if (end - freshUntil < this.#slide.idleMs * PERSIST_SHARE) return
    this.#store(async () => {
      const entry = await this.#context.stack.get(key)
      if (!entry || entry.loadedAt !== loadedAt || entry.staleAt !== undefined) return undefined
      const shiftMs = end - entry.freshUntil
      return {
        ...entry,
        freshUntil: end,
        staleUntil: entry.staleUntil + shiftMs,
        errorUntil: entry.errorUntil + shiftMs,
        keepUntil: entry.keepUntil + shiftMs,
      }
    })
  }

  /**
   * Under a lease from before the entry is read: what is removed meanwhile, also by another process, stays removed. Other
   * processes are not told, their copies just end earlier.
   */
  #store(read: () => MaybePromise<Entry | undefined>): void {
    const store = async (): Promise<void> => {
      const { stack } = this.#context
      const lease = await stack.lease()
      const entry = await read()
      if (entry) await stack.put(entry, lease)
    }
    // A touch that gets lost costs a load; the tier's guard has reported why.
    store().catch(() => {})
  }
}
