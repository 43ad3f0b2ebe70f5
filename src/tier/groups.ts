// What entries belong to, and what selectors mean, as texts a store over a network can look for.

import type { Entry } from '../entry.ts'
import type { Selector } from '../key.ts'
import { fieldOf } from './field.ts'

/** A selector within one name, as the scripts take it. */
export interface Target {
  readonly kind: 'key' | 'group' | 'name'
  /** The field, the group, or nothing. */
  readonly what: string
}

/** The groups an entry lies in, by the names of their rows. */
export function groupsOf(entry: Pick<Entry, 'scope' | 'era' | 'tags'>): string[] {
  const groups: string[] = []
  if (entry.scope !== undefined) {
    groups.push(groupOfScope(entry.scope))
    if (entry.era !== undefined) groups.push(groupOfEra(entry.era, entry.scope))
  }
  if (entry.tags !== undefined) for (const tag of new Set(entry.tags)) groups.push(groupOf('t', tag))
  return groups
}

/** What a selector means within each name it concerns. */
export function targetOf(selector: Selector): Target {
  switch (selector.kind) {
    case 'key':
      return { kind: 'key', what: fieldOf(selector.key.id) }
    case 'scope':
      return { kind: 'group', what: groupOfScope(selector.scope) }
    case 'era':
      return { kind: 'group', what: groupOfEra(selector.era, selector.scope) }
    case 'tag':
      return { kind: 'group', what: groupOf('t', selector.tag) }
    case 'name':
    case 'all':
      return { kind: 'name', what: '' }
  }
}

/** The one name a selector concerns, or `undefined` when it may concern any. */
export function nameOf(selector: Selector): string | undefined {
  switch (selector.kind) {
    case 'key':
      return selector.key.name
    case 'scope':
    case 'name':
      return selector.name
    default:
      return undefined
  }
}

function groupOfScope(scope: string): string {
  return groupOf('s', scope)
}

function groupOfEra(era: string, scope: string): string {
  return `e${JSON.stringify([era, scope])}`
}

/**
 * The row of a scope, a tag or a name. NUL ends a group in its rows, and a lone surrogate does not survive UTF-8: such a text
 * is written as JSON.
 */
export function groupOf(kind: 's' | 't' | 'n', text: string): string {
  const isPlain = text.isWellFormed() && !text.includes('\0')
  return isPlain ? kind + text : kind.toUpperCase() + JSON.stringify(text)
}

/** The text of a group made by {@link groupsOf}, with its kind; an era's is not taken apart. */
export function textOfGroup(group: string): { readonly kind: string; readonly text: string } {
  const kind = group.charAt(0)
  const text = group.slice(1)
  return 'STN'.includes(kind) ? { kind: kind.toLowerCase(), text: JSON.parse(text) as string } : { kind, text }
}
