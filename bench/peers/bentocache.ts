import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import type { Item } from '../item.ts'
import { TTL_MS, fill, type Peer, type PeerSource } from './peer.ts'

/** bentocache with its memory driver as the only layer, in the faster of its two modes: values are not serialised. */
export async function bentocache({ load, keys }: PeerSource): Promise<Peer> {
  const bento = new BentoCache({
    default: 'units',
    ttl: TTL_MS,
    stores: {
      units: bentostore().useL1Layer(memoryDriver({ maxItems: keys.length * 2, serialize: false })),
    },
  })
  const getOrSet = (key: string): Promise<Item> => bento.getOrSet({ key, factory: () => load(key) })
  await fill(keys, getOrSet)
  return {
    ways: [
      { label: 'bentocache getOrSet', note: 'serialize: false', read: getOrSet },
      { label: 'bentocache get', note: 'never loads', read: (key) => bento.get<Item>({ key }) },
    ],
  }
}
