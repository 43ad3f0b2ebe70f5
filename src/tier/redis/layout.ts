// Where things lie in Redis. lua/prelude.lua tells the whole of it.

import { createHash, randomBytes } from 'node:crypto'
import type { Entry } from '../../entry.ts'
import type { Selector } from '../../key.ts'

/** Longer keys are named by their hash; the frame then holds the key itself. */
const FIELD_CHARACTERS_MAX = 512
/** `%`, and what ends a hash tag or the prefix before a name; lone surrogates do not survive UTF-8. */
const ESCAPED = /[%:{}\p{Cs}]/gu

/** A selector within one name, as the scripts take it. */
export interface Target {
  readonly kind: 'key' | 'group' | 'name'
  /** The field, the group, or nothing. */
  readonly what: string
}

/** What all keys of one name begin with: the hash tag puts them into one slot of a cluster. */
export function baseOfName(prefix: string, name: string): string {
  return `{${prefix}:${escapeName(name)}}:`
}

/** The same for what is known of all names together. No name's base, because a name is escaped and an epoch is longer. */
export function baseOfRegistry(prefix: string): string {
  return `{${prefix}}:registry:`
}

/** The channel on which changes are told. */
export function channelOf(prefix: string): string {
  return `${prefix}:changes`
}

/** A name such that no other name, with whatever prefix, gets the same keys. */
export function escapeName(name: string): string {
  return name.replace(ESCAPED, (part) => `%${part.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The inverse of {@link escapeName}. */
export function unescapeName(escaped: string): string {
  return escaped.replace(/%([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

/** The name of one entry among a name's rows. */
export function fieldOf(id: string): string {
  return id.length <= FIELD_CHARACTERS_MAX ? `k${id}` : `h${createHash('sha256').update(id).digest('base64url')}`
}

/** The key a field stands for, where it is short enough to be the field. */
export function idOfField(field: string): string | undefined {
  return field.startsWith('k') ? field.slice(1) : undefined
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

/** A text unlike any other, without characters that mean something in a key. */
export function newEpoch(): string {
  return randomBytes(9).toString('base64url')
}

function groupOfScope(scope: string): string {
  return groupOf('s', scope)
}

function groupOfEra(era: string, scope: string): string {
  return `e${JSON.stringify([era, scope])}`
}

/** NUL ends a group in its rows, and a lone surrogate does not survive UTF-8: such a text is written as JSON. */
function groupOf(kind: 's' | 't', text: string): string {
  const isPlain = text.isWellFormed() && !text.includes('\0')
  return isPlain ? kind + text : kind.toUpperCase() + JSON.stringify(text)
}

/** The text of a group made by {@link groupsOf}, with its kind; an era's is not taken apart. */
export function textOfGroup(group: string): { readonly kind: string; readonly text: string } {
  const kind = group.charAt(0)
  const text = group.slice(1)
  return kind === 'S' || kind === 'T' ? { kind: kind.toLowerCase(), text: JSON.parse(text) as string } : { kind, text }
}
