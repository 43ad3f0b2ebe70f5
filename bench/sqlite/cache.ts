import { createTidemark, ttl, type Resource, type Tidemark, type Tier } from 'tidemark'
import { itemOf, keyOf, type Item } from '../item.ts'
import { TTL_MS } from '../peers/peer.ts'

const BATCH = 1_000

/** A cache over some tiers whose source is never to be asked. */
export interface BenchCache {
  readonly tide: Tidemark
  readonly units: Resource<string, Item>
}

/** Opens a cache with the settings of production: values are shared, not frozen. */
export function openCache(tiers: readonly Tier[]): BenchCache {
  const tide = createTidemark({ tiers, freeze: false })
  const load = (key: string): Promise<Item> => Promise.reject(new Error(`${key} was to be a hit.`))
  return { tide, units: tide.resource({ name: 'units', load, freshness: ttl(TTL_MS) }) }
}

/** Sets the first `count` keys, many at a time. */
export async function fillCache({ units }: BenchCache, count: number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const size = Math.min(BATCH, count - from)
    await Promise.all(Array.from({ length: size }, (_, i) => units.set(keyOf(from + i), itemOf(from + i))))
  }
}
