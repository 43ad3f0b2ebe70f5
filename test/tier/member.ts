import { onTestFinished } from 'vitest'
import { FOREVER, type Entry } from '../../src/entry.ts'
import type { ChangedSlots, Tier, TierReport } from 'tidemark'
import type { FakeClock } from 'tidemark/testing'

/** A tier as one process has it, with what it told its host and its cache. */
export interface Member {
  readonly tier: Tier
  readonly reports: TierReport[]
  /** What it told of others' changes. */
  readonly heard: ChangedSlots[]
}

/** Several processes' tiers over one place. */
export interface Members {
  readonly clock: FakeClock
  readonly join: () => Member
}

/** A tier in use, until the test is over. */
export function memberOf(tier: Tier, clock: FakeClock, budgetMs?: number): Member {
  const reports: TierReport[] = []
  const heard: ChangedSlots[] = []
  tier.attach?.({ clock, report: (news) => reports.push(news), ...(budgetMs === undefined ? undefined : { budgetMs }) })
  tier.feed?.listen((changed) => heard.push(changed))
  onTestFinished(() => tier.close())
  return { tier, reports, heard }
}

/** An entry that lives for ever, unless told otherwise. */
export function entryOf(clock: FakeClock, id: string, value: unknown, more: Partial<Entry> = {}): Entry {
  return {
    key: { name: 'users', id },
    value,
    loadedAt: clock.now(),
    freshUntil: FOREVER,
    staleUntil: FOREVER,
    errorUntil: FOREVER,
    keepUntil: FOREVER,
    ...more,
  }
}

/** The value under a key of `users`. */
export async function valueOf({ tier }: Member, id: string): Promise<unknown> {
  return (await tier.get({ name: 'users', id }))?.value
}

/** All that a member heard, one by one. */
export function heardBy({ heard }: Member): (number | 'all')[] {
  return heard.flatMap((it): (number | 'all')[] => (it === 'all' ? ['all'] : [...it]))
}
