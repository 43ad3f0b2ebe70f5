// Opens a file in a fresh process and reads one key; see reopen.ts.

import { memory, sqlite } from 'tidemark'
import { itemOf, keyOf, type Item } from '../item.ts'
import { openCache } from '../sqlite/cache.ts'
import { RawDatabase } from '../sqlite/raw.ts'
import type { OpenReport, OpenTask } from './reopen.ts'

const task = JSON.parse(process.argv[2] as string) as OpenTask
const startedAt = performance.now()
const item = task.kind === 'raw' ? new RawDatabase(task.path).get(keyOf(task.n)) : await throughCache()
const now = performance.now()
if (item.id !== itemOf(task.n).id) throw new Error(`Read ${item.id} in place of ${itemOf(task.n).id}.`)
const report: OpenReport = { openMs: now - startedAt, sinceStartMs: now }
process.send?.(report, () => process.exit())

function throughCache(): Promise<Item> {
  return openCache([memory(), sqlite({ path: task.path })]).units.get(keyOf(task.n))
}
