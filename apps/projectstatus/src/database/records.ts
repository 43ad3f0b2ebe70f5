// The rows of the tables, by their columns, as the driver gives them: `timestamptz` a Date, `jsonb` an object, `bigint` a
// number, `uuid` and `numeric` a text.

/** Whatever is in a `jsonb` column. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** A program that extracts a vendor's documents. */
export interface Vendor {
  readonly id: string
  /** Counts its changes, from 1. */
  readonly version: number
  /** At most 100 characters; unique whatever its case, as far as the database's locale knows of it. */
  readonly name: string
  readonly status: VendorStatus
  readonly extractor_version: string
  readonly metadata: Json
  readonly created_at: Date
  readonly updated_at: Date
  readonly created_by: string
}

export const VENDOR_STATUSES = ['operational', 'broken'] as const
export type VendorStatus = (typeof VENDOR_STATUSES)[number]

/** A project, a session of work, a task or a piece of research. */
export interface WorkItem {
  readonly id: string
  /** Counts its changes, from 1. */
  readonly version: number
  /** At most 200 characters. */
  readonly title: string
  readonly description: string | null
  readonly notes: string | null
  readonly item_type: WorkItemType
  readonly status: WorkItemStatus
  readonly parent_id: string | null
  /** The ids from the root to it, each after a slash. */
  readonly path: string
  /** 0 for a root, at most 5. */
  readonly depth: number
  readonly branch_name: string | null
  readonly commit_hash: string | null
  readonly pr_number: number | null
  readonly metadata: Json
  /** Since when it is deleted; the row stays. */
  readonly deleted_at: Date | null
  readonly created_at: Date
  readonly updated_at: Date
  readonly created_by: string
}

export const WORK_ITEM_TYPES = ['project', 'session', 'task', 'research'] as const
export type WorkItemType = (typeof WORK_ITEM_TYPES)[number]
export const WORK_ITEM_STATUSES = ['active', 'completed', 'blocked'] as const
export type WorkItemStatus = (typeof WORK_ITEM_STATUSES)[number]

/** Something was put into production. */
export interface Deployment {
  readonly id: string
  readonly deployed_at: Date
  readonly pr_number: number
  readonly pr_title: string
  readonly commit_hash: string
  /** A decimal number, as text. */
  readonly duration_seconds: string
  readonly artifact_bytes: number
  readonly metadata: Json
  readonly created_at: Date
  readonly created_by: string
}
