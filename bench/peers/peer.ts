import type { Item } from '../item.ts'

/** A way to read one key through a cache that holds it. */
export interface Way {
  readonly label: string
  readonly note?: string
  readonly read: (key: string) => Promise<Item | null | undefined>
}

/** The same, answered at once. */
export interface SyncWay {
  readonly label: string
  readonly note?: string
  readonly read: (key: string) => Item | null | undefined
}

/** The ways to read that one library offers. */
export interface Peer {
  readonly ways: readonly Way[]
  readonly sync?: readonly SyncWay[]
}

/** What an adapter gets: the source, and every key that must be in memory afterwards. */
export interface PeerSource {
  readonly load: (key: string) => Promise<Item>
  readonly keys: readonly string[]
}

/** Lifetimes are long enough that nothing expires while it is measured. */
export const TTL_MS = 3_600_000

/** Reads every key once, so that everything is in memory afterwards. */
export async function fill(keys: readonly string[], read: (key: string) => Promise<unknown>): Promise<void> {
  for (const key of keys) await read(key)
}
