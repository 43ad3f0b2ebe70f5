import type { Clock, Entry, Tier } from 'tidemark'

/** The process's time, for a tier that is measured by itself. */
export const wallClock: Clock = { now: Date.now, coarse: Date.now, schedule: () => () => {} }

/** An entry that ends at `until`. */
export function entryOf(n: number, value: unknown, until: number): Entry {
  const times = { freshUntil: until, staleUntil: until, errorUntil: until, keepUntil: until }
  return { key: { name: 'proxies', id: `p${n}` }, value, loadedAt: Date.now(), ...times }
}

/** Puts `count` entries, so many at once. */
export async function putAll(tier: Tier, count: number, atOnce: number, make: (n: number) => Entry): Promise<void> {
  for (let n = 0; n < count; n += atOnce) {
    await Promise.all(Array.from({ length: Math.min(atOnce, count - n) }, (_, i) => tier.put(make(n + i))))
  }
}
