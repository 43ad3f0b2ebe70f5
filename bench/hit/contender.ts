import type { SyncWay, Way } from '../peers/peer.ts'
import type { Contender } from '../rounds.ts'
import { awaited, immediate } from './loop.ts'

/** A way to read as a contender: awaits a read of every key. */
export function awaitedContender(way: Way, keys: readonly string[]): Contender {
  return { ...named(way), run: () => awaited(way.read, keys) }
}

/** The same for reads that answer at once. */
export function immediateContender(way: SyncWay, keys: readonly string[]): Contender {
  return { ...named(way), run: () => immediate(way.read, keys) }
}

function named({ label, note }: Way | SyncWay): { label: string; note?: string } {
  return note === undefined ? { label } : { label, note }
}
