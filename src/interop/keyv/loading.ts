import { createHash } from 'node:crypto'
import type { Key } from '../../key.ts'
import type { TierReport } from '../../tier/tier.ts'
import { newRow, type Row } from './directory.ts'
import { recordOf, type Record } from './record.ts'
import type { Storage } from './storage.ts'

/** Where an entry lies in a store. Stores differ in which keys they take; all take this one. */
export function placeOf(prefix: string, { name, id }: Key): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([name, id]))
    .digest('base64url')
  return `${prefix}:${hash}`
}

/** Finds what lies in a store under a prefix, the oldest first. Reads everything the store has. */
export async function findRows(storage: Storage, prefix: string, report: (news: TierReport) => void): Promise<Row[]> {
  const rows: Row[] = []
  for await (const [key, text] of storage.texts()) {
    const record = readable(text, report)
    const at = record && placeOf(prefix, record.head.info.key)
    // An adapter may list its keys with a namespace before them.
    if (!record || !at || (key !== at && !key.endsWith(`:${at}`))) continue
    rows.push(newRow(at, record.head.stamp, record.head.info))
  }
  return rows.toSorted((a, b) => a.info.loadedAt - b.info.loadedAt)
}

/** The record of what a store gave. One that cannot be read is told: it is not there, and stays where it is. */
export function readable(text: unknown, report: (news: TierReport) => void): Record | undefined {
  try {
    return recordOf(text)
  } catch (error) {
    report({ kind: 'corrupt', key: undefined, message: error instanceof Error ? error.message : String(error) })
    return undefined
  }
}
