const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** As long as the database's column. */
const NAME_LENGTH_MAX = 100

/** What a key of the cache names. */
export type CacheKey =
  | { readonly kind: 'vendor'; readonly name: string }
  | { readonly kind: 'work_item'; readonly id: string }

/** Reads `vendor:NAME`, whose name may have colons of its own, or `work_item:UUID`. Throws a `RangeError` for anything else. */
export function parseCacheKey(key: string): CacheKey {
  const colon = typeof key === 'string' ? key.indexOf(':') : -1
  const kind = colon === -1 ? '' : key.slice(0, colon)
  const rest = key?.slice(colon + 1)
  if (kind === 'vendor') return { kind, name: vendorName(rest) }
  if (kind === 'work_item') return { kind, id: workItemId(rest) }
  throw new RangeError(`Expected a key like vendor:NAME or work_item:UUID, got ${quoted(key)}.`)
}

/** A name as it may be. Throws a `RangeError`. */
export function vendorName(name: string): string {
  const fits =
    typeof name === 'string' &&
    name !== '' &&
    Array.from(name).length <= NAME_LENGTH_MAX &&
    !/[\p{Cc}\p{Cs}]/u.test(name)
  if (fits) return name
  throw new RangeError(
    `Expected the name of a vendor, 1 to ${NAME_LENGTH_MAX} characters without control characters, got ${quoted(name)}.`,
  )
}

/**
 * What vendors are told apart by: their names, whatever the case of A to Z. PostgreSQL compares them in the same way, under
 * every locale; what lies beyond ASCII is folded there by one and not by another.
 */
export function vendorKey(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** An id in small letters. Throws a `RangeError`. */
export function workItemId(id: string): string {
  if (typeof id === 'string' && UUID.test(id)) return id.toLowerCase()
  throw new RangeError(`Expected the id of a work item, a UUID, got ${quoted(id)}.`)
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 60)}'` : typeof value
}
