// Walks over many entries, a slice at a time, so that no walk holds up the event loop.

import type { Clock } from '../../clock.ts'
import type { KeyInfo } from '../../entry.ts'
import type { Selector } from '../../key.ts'
import type { LineReader } from './line-reader.ts'
import { entryOf } from './reads.ts'
import type { Replica } from './replica.ts'

const PAGE_ROWS = 500

/** The live entries of a selector, without their values. */
export async function* infos(
  selector: Selector,
  clock: Clock,
  replica: Replica,
  reader: LineReader,
): AsyncIterable<KeyInfo> {
  const { catalog } = replica
  const rows = catalog.rowsOf(selector, replica.hashOf(selector))
  // A row may be given to another entry between two pages.
  const hashes = rows.map((row) => catalog.table.hash[row])
  for (const [i, row] of rows.entries()) {
    if (i > 0 && i % PAGE_ROWS === 0) await turn()
    // A folder that was read anew has other rows.
    if (replica.catalog !== catalog) return
    if (catalog.table.hash[row] !== hashes[i] || !isLive(row, clock, replica)) continue
    const meta = reader.meta(row)
    if (!meta) continue
    const { value: _, ...info } = entryOf(
      meta.key,
      meta.head,
      meta.body,
      catalog.table.staleAt[row] as number,
      undefined,
    )
    yield info
  }
}

/** How many live entries a selector means. */
export function count(selector: Selector, clock: Clock, replica: Replica): number {
  let live = 0
  for (const row of replica.catalog.rowsOf(selector, replica.hashOf(selector))) if (isLive(row, clock, replica)) live++
  return live
}

function isLive(row: number, clock: Clock, { catalog }: Replica): boolean {
  return clock.now() < (catalog.table.keepUntil[row] as number)
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
