// Slots: a tier remembers, for 65 536 of them, when it last changed. See "lease" in ARCHITECTURE.md.

import type { Key, Selector } from './key.ts'

/** How many slots there are. A collision costs one store or one re-read, never a wrong value. */
export const SLOTS = 65_536

/** The slot that stands for "everything": touched by a clear of the whole cache, checked by every lease. */
export const SLOT_OF_ALL = 0

/** What an entry belongs to besides its key; each part has a slot of its own. */
export interface Membership {
  readonly scope?: string | undefined
  readonly era?: string | undefined
  readonly tags?: readonly string[] | undefined
}

const SEED = { key: 0x811c9dc5, scope: 0x2f0b4c47, era: 0x6a09e667, tag: 0x3c6ef372, name: 0x510e527f } as const

/** A 32-bit hash of a key; {@link slotOfHash} folds it to the key's slot. */
export function hashOfKey(key: Key): number {
  return mix(mix(SEED.key, key.name), key.id) >>> 0
}

/** The slot of one key. */
export function slotOfKey(key: Key): number {
  return slotOfHash(hashOfKey(key))
}

/** The slot of a name: touched when the whole name is cleared. */
export function slotOfName(name: string): number {
  return slotOfHash(mix(SEED.name, name))
}

/** The slot of a scope; `name` narrows it to one name's part of the scope. */
export function slotOfScope(scope: string, name?: string): number {
  return slotOfHash(name === undefined ? mix(SEED.scope, scope) : mix(mix(SEED.scope, scope), name))
}

/** The slot of one era in one scope. */
export function slotOfEra(era: string, scope: string): number {
  return slotOfHash(mix(mix(SEED.era, era), scope))
}

/** The slot of a tag. */
export function slotOfTag(tag: string): number {
  return slotOfHash(mix(SEED.tag, tag))
}

/** The one slot a change of this selector touches. */
export function slotOfSelector(selector: Selector): number {
  switch (selector.kind) {
    case 'key':
      return slotOfKey(selector.key)
    case 'scope':
      return slotOfScope(selector.scope, selector.name)
    case 'era':
      return slotOfEra(selector.era, selector.scope)
    case 'tag':
      return slotOfTag(selector.tag)
    case 'name':
      return slotOfName(selector.name)
    case 'all':
      return SLOT_OF_ALL
  }
}

/** The slots of the groups an entry lies in, without those every entry of its name shares. */
export function slotsOfGroups(name: string, member: Membership): number[] {
  const slots: number[] = []
  if (member.scope !== undefined) {
    slots.push(slotOfScope(member.scope), slotOfScope(member.scope, name))
    if (member.era !== undefined) slots.push(slotOfEra(member.era, member.scope))
  }
  if (member.tags !== undefined) for (const tag of member.tags) slots.push(slotOfTag(tag))
  return slots
}

/** Every slot whose change makes a load of this entry too old to store. */
export function slotsOfEntry(key: Key, member: Membership): number[] {
  return [SLOT_OF_ALL, slotOfKey(key), slotOfName(key.name), ...slotsOfGroups(key.name, member)]
}

/** FNV-1a over UTF-16 units, closed with a unit no text continues across: ('ab','c') and ('a','bc') differ. */
function mix(seed: number, text: string): number {
  let h = seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return Math.imul(h ^ 0x1ffff, 0x01000193)
}

/** Folds a hash into 1 … 65 535; slot 0 is {@link SLOT_OF_ALL}. */
export function slotOfHash(hash: number): number {
  let h = hash ^ (hash >>> 15)
  h = Math.imul(h, 0x2c1b3c6d)
  h ^= h >>> 12
  return ((h >>> 0) % (SLOTS - 1)) + 1
}
