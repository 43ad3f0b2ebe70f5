import type { Context } from 'hono'
import type { VendorChanges, WorkItemChanges } from '../database/project-database.ts'
import { VENDOR_STATUSES, WORK_ITEM_STATUSES, type Json } from '../database/records.ts'
import { bad } from './failure.ts'
import { isKeepable, whyNotKeepable } from './keepable.ts'

/** What a field may be, in words, and whether a value is that. */
interface Field {
  readonly expected: string
  readonly fits: (value: unknown) => boolean
  /** Of a value that fits: what of it cannot be kept as it is. */
  readonly whyNot?: (value: unknown) => string | undefined
}

const text = (max: number, isNullable: boolean): Field => ({
  expected: `a text of up to ${max} whole characters without NUL${isNullable ? ', or null' : ''}`,
  fits: (value) =>
    (isNullable && value === null) ||
    (typeof value === 'string' && (isNullable || value !== '') && value.length <= max && isKeepable(value)),
})
const oneOf = (names: readonly string[]): Field => ({
  expected: `one of ${names.join(', ')}`,
  fits: (value) => names.includes(value as string),
})
const OBJECT: Field = {
  expected: 'a JSON object',
  fits: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

const METADATA: Field = { ...OBJECT, whyNot: (value) => whyNotKeepable(value as Json) }
/** As large as the columns of versions and numbers go. */
const INT_MAX = 2 ** 31 - 1

const VENDOR_FIELDS: Readonly<Record<keyof VendorChanges, Field>> = {
  status: oneOf(VENDOR_STATUSES),
  extractor_version: text(50, false),
  metadata: METADATA,
}

const WORK_ITEM_FIELDS: Readonly<Record<keyof WorkItemChanges, Field>> = {
  title: text(200, false),
  description: text(100_000, true),
  notes: text(100_000, true),
  status: oneOf(WORK_ITEM_STATUSES),
  branch_name: text(250, true),
  commit_hash: {
    expected: '40 hex digits, or null',
    fits: (value) => value === null || (typeof value === 'string' && /^[0-9a-f]{40}$/.test(value)),
  },
  pr_number: {
    expected: 'a whole number from 1, or null',
    fits: (value) =>
      value === null || (Number.isInteger(value) && (value as number) > 0 && (value as number) <= INT_MAX),
  },
  metadata: METADATA,
}

/** A change as a request asks for it. */
export interface Asked<T> {
  readonly expectedVersion: number
  readonly changes: T
}

/** The body of `PATCH /vendors/{name}`. Errors: `RequestError`. */
export function vendorChanges(c: Context): Promise<Asked<VendorChanges>> {
  return changesOf(c, VENDOR_FIELDS)
}

/** The body of `PATCH /work-items/{id}`. Errors: `RequestError`. */
export function workItemChanges(c: Context): Promise<Asked<WorkItemChanges>> {
  return changesOf(c, WORK_ITEM_FIELDS)
}

async function changesOf<T extends object>(c: Context, fields: Readonly<Record<string, Field>>): Promise<Asked<T>> {
  const body: unknown = await c.req.json().catch(() => undefined)
  if (!OBJECT.fits(body)) throw bad('body', 'a JSON object with `expected_version` and what is to be changed')
  const { expected_version: expectedVersion, ...changes } = body as Readonly<Record<string, Json>>
  const version = expectedVersion as number
  if (!Number.isInteger(version) || version < 1 || version > INT_MAX)
    throw bad('expected_version', `the version you have read, a whole number from 1 to ${INT_MAX}`)
  if (Object.keys(changes).length === 0) throw bad('body', `something to change: ${Object.keys(fields).join(', ')}`)
  for (const [name, value] of Object.entries(changes)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (!field) throw bad(name, `left out; what may be changed is ${Object.keys(fields).join(', ')}`)
    if (!field.fits(value)) throw bad(name, field.expected)
    const whyNot = field.whyNot?.(value)
    if (whyNot !== undefined) throw bad(name, `${field.expected} ${whyNot}`)
  }
  return { expectedVersion: version, changes: changes as T }
}
