// Lines that are no entry's: what was removed, marked, dropped, claimed, and what is to be known of the files.

import type { Key, Selector } from '../../key.ts'
import { slotOfSelector } from '../../slot.ts'
import type { NewRecord } from './batch.ts'
import type { LogRecord } from './scan.ts'

/** The line of a removal; with `staleAt`, of a mark. The slot says the same again, should the selector be damaged. */
export function removalOf(selector: Selector, staleAt?: number): NewRecord {
  const fields = selector.kind === 'key' ? { kind: 'key', name: selector.key.name, key: selector.key.id } : selector
  const slot = slotOfSelector(selector)
  return staleAt === undefined ? { op: 'remove', ...fields, slot } : { op: 'mark', ...fields, slot, staleAt }
}

/** The selector of a line, or `undefined` when it has none. */
export function selectorOf(record: LogRecord): Selector | undefined {
  const { kind, name, scope, era, tag } = record
  switch (kind) {
    case 'key': {
      const key = keyOf(record)
      return key && { kind, key }
    }
    case 'scope':
      if (typeof scope !== 'string') return undefined
      return typeof name === 'string' ? { kind, scope, name } : { kind, scope }
    case 'era':
      return typeof era === 'string' && typeof scope === 'string' ? { kind, era, scope } : undefined
    case 'tag':
      return typeof tag === 'string' ? { kind, tag } : undefined
    case 'name':
      return typeof name === 'string' ? { kind, name } : undefined
    case 'all':
      return { kind }
  }
  return undefined
}

/** The key of a line, or `undefined` when it has none. */
export function keyOf({ name, key }: LogRecord): Key | undefined {
  return typeof name === 'string' && typeof key === 'string' ? { name, id: key } : undefined
}

/** The keys of a line that drops several. */
export function keysOf({ keys }: LogRecord): Key[] {
  if (!Array.isArray(keys)) return []
  return keys.flatMap((pair: unknown) => {
    const [name, id] = Array.isArray(pair) ? (pair as unknown[]) : []
    return typeof name === 'string' && typeof id === 'string' ? [{ name, id }] : []
  })
}

/** A number of a line; 0 when it is none. */
export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
