// What a guard makes of the parts only shared tiers have.

import { slotOfKey } from '../slot.ts'
import { isPromise, type ChangeFeed, type ChangedSlots, type Claims, type MaybePromise } from '../tier/tier.ts'
import { isOverBudget, within } from './deadline.ts'
import type { Watch } from './watch.ts'

/** A feed whose failure means that changes may have been missed. */
export function guardFeed(feed: ChangeFeed, watch: Watch, budgetMs: number): ChangeFeed {
  let listener: (changed: ChangedSlots) => void = () => {}
  // Strict readers may not trust what they hold when they cannot ask.
  const failed = (error: unknown): void => {
    if (isOverBudget(error)) watch.hang.begin(undefined)
    watch.failed('read', 'check', error)
    listener('all')
  }
  // What others changed in names that were used for the first time meanwhile was not heard.
  watch.onReadable = () => listener('all')
  // A read of the journal may have been copied upward, over what others had changed by then.
  watch.onReplayed = (key) => listener([slotOfKey(key)])
  return {
    listen: (told) => {
      listener = told
      feed.listen(told)
    },
    poll: () => feed.poll(),
    check: () => {
      if (!watch.isReadable || watch.hang.isOn) return listener('all')
      try {
        const done = feed.check()
        return isPromise(done) ? within(done, budgetMs, 'check').catch(failed) : done
      } catch (error) {
        return failed(error)
      }
    },
  }
}

/** Claims that are granted when they cannot be asked for: they save work, leases guard correctness. */
export function guardClaims(claims: Claims, watch: Watch, budgetMs: number): Claims {
  const attempt = async <T>(run: () => MaybePromise<T>, otherwise: T): Promise<T> => {
    if (!watch.isWritable || watch.hang.isOn) return otherwise
    try {
      return await within(Promise.resolve(run()), budgetMs, 'claim')
    } catch {
      return otherwise
    }
  }
  return {
    acquire: (key, owner, untilMs) => attempt(() => claims.acquire(key, owner, untilMs), true),
    release: (key, owner) => attempt(() => claims.release(key, owner), undefined),
  }
}
