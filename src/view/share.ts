// Structural sharing: what did not change stays the same object, so that whoever compares or remembers by identity need
// not look at it again.

import { isDeepStrictEqual } from 'node:util'

/**
 * The next value, made of the parts of the previous one wherever they are equal; the previous value itself when nothing
 * changed. Neither is changed. Items of lists are told by their `id` where they have one, else by their place.
 */
export function share<V>(previous: unknown, next: V): V {
  return merge(previous, next) as V
}

function merge(previous: unknown, next: unknown): unknown {
  if (Object.is(previous, next)) return previous
  if (typeof previous !== 'object' || typeof next !== 'object' || previous === null || next === null) return next
  if (Array.isArray(previous) && Array.isArray(next)) return mergeLists(previous, next)
  if (isPlain(previous) && isPlain(next)) return mergeObjects(previous, next)
  if (isOrdered(previous) && isOrdered(next)) return isSameInOrder(previous, next) ? previous : next
  return isDeepStrictEqual(previous, next) ? previous : next
}

function mergeObjects(previous: Record<string, unknown>, next: Record<string, unknown>): unknown {
  const names = Object.keys(next)
  const mergedAt = (name: string): unknown =>
    Object.hasOwn(previous, name) ? merge(previous[name], next[name]) : next[name]
  // Not by assignment: a property called `__proto__` would become the prototype.
  const merged: Record<string, unknown> = Object.fromEntries(names.map((name) => [name, mergedAt(name)]))
  // The order of names is part of the value: it is what a client sees.
  const before = Object.keys(previous)
  const isSame = (name: string, i: number): boolean => name === before[i] && Object.is(merged[name], previous[name])
  return names.length === before.length && names.every(isSame) ? previous : merged
}

function mergeLists(previous: readonly unknown[], next: readonly unknown[]): unknown {
  const byId = new Map<unknown, unknown>()
  for (const item of previous) if (idOf(item) !== undefined) byId.set(idOf(item), item)
  const merged = next.map((item, i) => {
    const id = idOf(item)
    return merge(id !== undefined && byId.has(id) ? byId.get(id) : previous[i], item)
  })
  const isSame = merged.length === previous.length && merged.every((item, i) => Object.is(item, previous[i]))
  return isSame ? previous : merged
}

/** The order of a set or a map is part of it, as that of names is. */
function isSameInOrder(previous: Ordered, next: Ordered): boolean {
  const before = [...previous]
  return previous instanceof Set === next instanceof Set && mergeLists(before, [...next]) === before
}

function idOf(item: unknown): string | number | undefined {
  if (typeof item !== 'object' || item === null || !('id' in item)) return undefined
  return typeof item.id === 'string' || typeof item.id === 'number' ? item.id : undefined
}

type Ordered = Set<unknown> | Map<unknown, unknown>

function isOrdered(value: object): value is Ordered {
  return value instanceof Set || value instanceof Map
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
