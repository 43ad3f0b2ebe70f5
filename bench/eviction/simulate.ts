// Replays a trace over the real memory tier: what the simulator measures is what users get.

import { FOREVER } from '../../src/entry.ts'
import type { EvictionName } from '../../src/tier/memory/eviction/eviction.ts'
import { memory } from '../../src/tier/memory/memory.ts'
import type { Trace } from './trace.ts'

/** The share of accesses that found their key, in percent. */
export function hitPercent(trace: Trace, eviction: EvictionName, maxEntries: number): number {
  const tier = memory({ eviction, maxEntries })
  const front = tier.front?.('trace')
  let hits = 0
  for (const id of trace.keys) {
    if (front?.fresh(id) !== undefined) {
      hits++
      continue
    }
    const times = { loadedAt: 0, freshUntil: FOREVER, staleUntil: FOREVER, errorUntil: FOREVER, keepUntil: FOREVER }
    void tier.put({ key: { name: 'trace', id }, value: true, ...times })
  }
  return (hits / trace.keys.length) * 100
}

/** Sizes worth looking at: shares of how many different keys a trace has. */
export function sizesOf(trace: Trace): number[] {
  const different = new Set(trace.keys).size
  return [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75]
    .map((share) => Math.round(different * share))
    .filter((size) => size >= 20)
}
