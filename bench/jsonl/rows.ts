import { jsonl, type Clock, type Entry, type JsonlOptions, type Tier } from 'tidemark'

/** Entries in every measurement of the tier. */
export const ROWS = 100_000
const HOUR_MS = 3_600_000

/** An entry of about 1 KB, as a resource would make it. */
export function entryOf(n: number): Entry {
  const now = Date.now()
  return {
    key: { name: 'units', id: `unit:${n}` },
    value: String(n).padEnd(1_000, 'status of a unit, '),
    loadedAt: now,
    freshUntil: now + HOUR_MS,
    staleUntil: now + 2 * HOUR_MS,
    errorUntil: now + 3 * HOUR_MS,
    keepUntil: now + 4 * HOUR_MS,
  }
}

/** The tier by itself, so that nothing but it is measured. */
export function openTier(options: JsonlOptions): Tier {
  const clock: Clock = { now: Date.now, coarse: Date.now, schedule: () => () => {} }
  const tier = jsonl(options)
  tier.attach?.({ clock, report: (news) => console.error(news) })
  return tier
}

/** Puts entries, so many at once. */
export async function putAll(tier: Tier, entries: readonly Entry[], atOnce: number): Promise<void> {
  for (let from = 0; from < entries.length; from += atOnce) {
    await Promise.all(entries.slice(from, from + atOnce).map((entry) => tier.put(entry)))
  }
}
