// Where things lie in the tables; sql/layout-1.sql tells the whole of it.

import { hash } from 'node:crypto'
import type { Key, Selector } from '../../key.ts'
import { fieldOf } from '../field.ts'
import { groupOf, nameOf, targetOf, textOfGroup } from '../groups.ts'

/** A name as the tables have it: a text PostgreSQL can hold, whatever the name is. */
export function textOfName(name: string): string {
  return groupOf('n', name)
}

/** The inverse of {@link textOfName}. */
export function nameOfText(text: string): string {
  return textOfGroup(text).text
}

/** What a name is found by: short, whatever its length. */
export function labelOf(name: string): string {
  return fieldOf(textOfName(name))
}

/** A 64-bit hash of a key, as SQL writes it. The field is compared as well, so a collision is a miss. */
export function hashOf({ name, id }: Key): string {
  const digest = hash('sha256', `${labelOf(name)}\0${fieldOf(id)}`, 'buffer')
  return digest.readBigInt64BE(0).toString()
}

/** What a selector means, as the functions take it. */
export interface Target {
  readonly kind: 'key' | 'group' | 'name' | 'all'
  readonly hash: string
  /** The name it is about; `null` when it may be any. */
  readonly label: string | null
  /** The field or the group. */
  readonly what: string
}

/** A selector as the functions take it. */
export function tableTargetOf(selector: Selector): Target {
  const name = nameOf(selector)
  const { kind, what } = targetOf(selector)
  return {
    kind: kind === 'name' && name === undefined ? 'all' : kind,
    hash: selector.kind === 'key' ? hashOf(selector.key) : '0',
    label: name === undefined ? null : labelOf(name),
    what: kind === 'group' ? fieldOf(what) : what,
  }
}

/** Texts as a literal of an array. */
export function arrayOf(texts: readonly (string | number)[]): string {
  return `{${texts.map((it) => (typeof it === 'number' ? it : `"${it.replaceAll(/["\\]/g, '\\$&')}"`)).join(',')}}`
}
