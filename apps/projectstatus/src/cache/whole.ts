import type { Vendor, WorkItem } from '../database/records.ts'
import { vendorKey } from './cache-key.ts'

// The data of a write is a part of a row. Cached as it is, it would be read as the whole of it during an outage.

const VENDOR_COLUMNS: readonly (keyof Vendor)[] = [
  'id',
  'version',
  'name',
  'status',
  'extractor_version',
  'metadata',
  'created_at',
  'updated_at',
  'created_by',
]

const WORK_ITEM_COLUMNS: readonly (keyof WorkItem)[] = [
  'id',
  'version',
  'title',
  'description',
  'notes',
  'item_type',
  'status',
  'parent_id',
  'path',
  'depth',
  'branch_name',
  'commit_hash',
  'pr_number',
  'metadata',
  'deleted_at',
  'created_at',
  'updated_at',
  'created_by',
]

/** Refuses what is no whole row, or another vendor's. Throws a `RangeError` that names the column. */
export function checkVendor(name: string, vendor: Vendor): void {
  checkWhole(vendor, VENDOR_COLUMNS, 'vendor')
  if (vendorKey(vendor.name) !== vendorKey(name))
    throw new RangeError(`Expected the row of ${name}, got that of ${vendor.name}.`)
}

/** Refuses what is no whole row, or another item's. Throws a `RangeError` that names the column. */
export function checkWorkItem(id: string, item: WorkItem): void {
  checkWhole(item, WORK_ITEM_COLUMNS, 'work item')
  if (item.id.toLowerCase() !== id.toLowerCase())
    throw new RangeError(`Expected the row of ${id}, got that of ${item.id}.`)
}

function checkWhole(row: object, columns: readonly string[], what: string): void {
  if (typeof row !== 'object' || row === null) throw new RangeError(`Expected the row of a ${what}, got ${typeof row}.`)
  const missing = columns.find((column) => (row as Readonly<Record<string, unknown>>)[column] === undefined)
  if (missing !== undefined)
    throw new RangeError(`Expected the whole row of a ${what}, got one without \`${missing}\`.`)
  const { version } = row as { readonly version: unknown }
  if (!Number.isSafeInteger(version) || (version as number) < 1)
    throw new RangeError(`Expected \`version\` to be a whole number from 1, got ${String(version)}.`)
}
