// What a removal holds Redis up: it is one script for each name, so nothing else runs meanwhile.

import type { Entry, Selector } from 'tidemark'
import { redis } from 'tidemark/redis'
import { TTL_MS } from '../peers/peer.ts'
import type { Row, Table } from '../report.ts'
import type { Clients, Library } from './clients.ts'

const SIZES = [100, 1_000, 10_000]
const AT_ONCE = 500
const SCOPE: Selector = { kind: 'scope', scope: 's' }
const acts = [
  ['removed by scope', SCOPE, false],
  ['marked stale by scope', SCOPE, true],
  ['cleared by name', { kind: 'name', name: 'units' }, false],
] as const satisfies readonly (readonly [string, Selector, boolean])[]

/** Groups of several sizes, removed, marked and cleared. */
export async function groups({ prefix, libraries }: Clients): Promise<Table> {
  const tier = redis({ client: (libraries[0] as Library).client, prefix: `${prefix}-groups` })
  const rows: Row[] = []
  for (const size of SIZES) {
    for (const [what, selector, isMark] of acts) {
      for (let from = 0; from < size; from += AT_ONCE) {
        const count = Math.min(AT_ONCE, size - from)
        await Promise.all(Array.from({ length: count }, (_, i) => tier.put(entryOf(from + i))))
      }
      const startedAt = performance.now()
      const touched = await tier.remove(selector, isMark ? Date.now() : undefined)
      if (touched !== size) throw new Error(`${touched} of ${size} were ${what}.`)
      rows.push({ label: `${size} entries ${what}`, value: performance.now() - startedAt })
      await tier.remove({ kind: 'all' })
    }
  }
  await tier.close()
  return { title: 'removal of a group: Redis does nothing else meanwhile', unit: 'ms', rows }
}

function entryOf(n: number): Entry {
  const now = Date.now()
  const freshUntil = now + TTL_MS
  const until = freshUntil + TTL_MS
  return {
    key: { name: 'units', id: `unit:${n}` },
    value: n,
    loadedAt: now,
    freshUntil,
    staleUntil: until,
    errorUntil: until,
    keepUntil: until,
    scope: 's',
    tags: ['t'],
  }
}
