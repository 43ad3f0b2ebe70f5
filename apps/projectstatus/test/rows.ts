import { randomUUID } from 'node:crypto'
import type { Vendor, WorkItem } from '../src/database/records.ts'

const MADE = new Date('2026-01-02T03:04:05.678Z')

/** A whole row of a vendor. */
export function vendorRow(name: string, changes: Partial<Vendor> = {}): Vendor {
  return {
    id: randomUUID(),
    version: 1,
    name,
    status: 'operational',
    extractor_version: '2.3.1',
    metadata: { format_support: ['pdf'], test_results: { passed: 12, share: 0.75 }, manifest_compliant: true },
    created_at: MADE,
    updated_at: MADE,
    created_by: 'tests',
    ...changes,
  }
}

/** A whole row of a work item. */
export function workItemRow(changes: Partial<WorkItem> = {}): WorkItem {
  const id = changes.id ?? randomUUID()
  return {
    id,
    version: 1,
    title: 'Read invoices',
    description: null,
    notes: null,
    item_type: 'task',
    status: 'active',
    parent_id: null,
    path: `/${id}`,
    depth: 0,
    branch_name: 'invoices',
    commit_hash: '0123456789abcdef0123456789abcdef01234567',
    pr_number: 17,
    metadata: { estimate: 3.5 },
    deleted_at: null,
    created_at: MADE,
    updated_at: MADE,
    created_by: 'tests',
    ...changes,
  }
}
