import { createTidemark, memory, ttl } from 'tidemark'
import { TTL_MS, fill, type Peer, type PeerSource } from './peer.ts'

/** Ours, with the settings of production: values are shared, not frozen. */
export async function tidemark({ load, keys }: PeerSource): Promise<Peer> {
  const tide = createTidemark({ tiers: [memory({ maxEntries: keys.length * 2 })], freeze: false })
  const units = tide.resource({ name: 'units', load: (key: string) => load(key), freshness: ttl(TTL_MS) })
  await fill(keys, (key) => units.get(key))
  return {
    ways: [{ label: 'tidemark get', read: (key) => units.get(key) }],
    sync: [{ label: 'tidemark peek', read: (key) => units.peek(key) }],
  }
}
