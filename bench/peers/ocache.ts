import { defineCachedFunction } from 'ocache'
import { TTL_MS, fill, type Peer, type PeerSource } from './peer.ts'

/** ocache's cached function with its default memory storage. */
export async function ocache({ load, keys }: PeerSource): Promise<Peer> {
  const read = defineCachedFunction((key: string) => load(key), {
    name: 'unit',
    maxAge: TTL_MS / 1000,
    getKey: (key) => key,
  })
  await fill(keys, read)
  return { ways: [{ label: 'ocache', read }] }
}
